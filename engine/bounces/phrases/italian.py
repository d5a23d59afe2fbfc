"""What servers and machines say in Italian."""

from __future__ import annotations

reasons: dict[str, str] = {
    "full": """
        casella piena | casella * piena | casella postale piena | mailbox piena | quota superata | quota esaurita |
        spazio esaurito | spazio insufficiente | superato la quota | superato il limite | spazio disponibile |
        mailbox * piena
    """,
    "sender": """
        mittente rifiutato | mittente non autorizzato | indirizzo del mittente
    """,
    "spam": """
        come spam | considerato spam | posta indesiderata | è spam
    """,
    "blocked": """
        lista nera | bloccato | bloccata | reputazione | politica di sicurezza | criteri di sicurezza
    """,
    "content": """
        contiene virus | contiene un virus | allegato non consentito | contenuto non consentito
    """,
    "relay": """
        relay negato | relay non consentito
    """,
    "unknown_user": """
        utente sconosciuto | utente inesistente | utente non esiste | utente non trovato |
        destinatario sconosciuto | destinatario inesistente | destinatario non valido | destinatario non trovato |
        indirizzo sconosciuto | indirizzo inesistente | indirizzo non valido | indirizzo non trovato |
        indirizzo * inesistente | casella inesistente | casella non esiste | casella * inesistente |
        account inesistente | non esiste | inesistente | sconosciuto | non è stato trovato |
        non è stato possibile trovare | impossibile trovare | non trovato | casella non disponibile |
        nessun utente | destinatario errato
    """,
    "unknown_domain": """
        dominio sconosciuto | dominio inesistente | dominio non esiste | dominio non trovato | host sconosciuto
    """,
    "disabled": """
        casella disattivata | casella disabilitata | casella sospesa | casella non attiva | casella bloccata |
        account disabilitato | account disattivato | account sospeso | utente disabilitato | disattivata |
        disattivato | disabilitata | disabilitato | non è più attivo | non è più attiva | non più attivo |
        non più valido | scaduta | sospeso | per inutilizzo | bloccato per inutilizzo
    """,
    "too_large": """
        messaggio troppo grande | dimensione massima | dimensioni del messaggio | troppo grande |
        supera le dimensioni
    """,
    "temporary": """
        tempo scaduto | connessione rifiutata | non risponde
    """,
    "maybe_hard": """
        non può ricevere
    """,
    "maybe_policy": """
        rifiutato | respinto | respinta | negato | non consentito | non autorizzato
    """,
    "maybe_soft": """
        temporaneamente | riprovare più tardi | riprova più tardi | momentaneamente
    """,
}
signs: dict[str, str] = {
    "subjects": """
        non recapitabile | non recapitato | mancato recapito | mancata consegna | consegna fallita |
        recapito non riuscito | errore di consegna | errore di recapito | errore nella consegna |
        messaggio non recapitato | messaggio non consegnato | impossibile recapitare | impossibile consegnare |
        posta restituita | avviso di mancata consegna | notifica di mancato recapito | restituito al mittente |
        notifica dello stato di recapito | messaggio respinto
    """,
    "intros": """
        non è stato possibile recapitare | non e' stato possibile | non è stato possibile consegnare |
        non è stato recapitato | non è stato consegnato | non può essere recapitato | non puo' essere |
        non può essere consegnato | impossibile recapitare | impossibile consegnare | recapito non riuscito |
        consegna * fallita | errore permanente | è stato respinto | è stato rifiutato | ai seguenti destinatari |
        al seguente destinatario | seguenti indirizzi | non ha raggiunto | non consegnato | non recapitato |
        mancata consegna
    """,
    "delays": """
        solo un avviso | solo un avvertimento | non è necessario rispedire | non occorre inviare |
        non è necessario inviare nuovamente | recapito ritardato | è in ritardo | ritardo nella consegna |
        ritardo nel recapito | continuerà a tentare | ulteriori tentativi | non è ancora stato consegnato |
        non è stato ancora recapitato | tenterà nuovamente
    """,
    "permanent": """
        errore permanente | definitivo | definitivamente
    """,
    "autoreplies": """
        fuori ufficio | fuori sede | assenza | assente | risposta automatica | in ferie | ferie | maternità |
        ricevuta di lettura | letto: | conferma di lettura | conferma di ricezione | abbiamo ricevuto | grazie per |
        la sua richiesta | la tua richiesta
    """,
    "delivered": """
        è stato consegnato | consegnato con successo | recapitato correttamente | è stato letto |
        ricevuta di ritorno | ricevuta di avvenuta consegna | avvenuta consegna
    """,
    "originals": """
        messaggio originale | copia del messaggio | intestazioni
    """,
}
