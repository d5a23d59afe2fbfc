"""What servers and machines say in French."""

from __future__ import annotations

reasons: dict[str, str] = {
    "full": """
        boîte pleine | boite pleine | boîte aux lettres pleine | boîte de réception * pleine | boite * pleine |
        boîte aux lettres est saturée | boite aux lettres est saturee | bal pleine | quota dépassé | quota depasse |
        dépassement de quota | depassement de quota | dépassé son quota | espace * insuffisant | boîte * saturée |
        quota atteint | a dépassé | destinataire pleine
    """,
    "sender": """
        expéditeur refusé | expéditeur non autorisé | adresse de l'expéditeur | expéditeur * rejeté |
        emetteur invalide | émetteur invalide
    """,
    "spam": """
        considéré comme spam | considéré comme du spam | comme indésirable | courrier indésirable | pourriel |
        message indésirable | comme spam
    """,
    "blocked": """
        liste noire | adresse ip bloquée | bloqué | réputation | politique de sécurité |
        trop de connexions, veuillez | règles de sécurité
    """,
    "content": """
        contenu refusé | contient un virus | pièce jointe interdite | pièce jointe non autorisée
    """,
    "relay": """
        relais interdit | relais refusé | relayage
    """,
    "unknown_user": """
        utilisateur inconnu | destinataire inconnu | destinataire inexistant | destinataire introuvable |
        destinataire invalide | adresse inconnue | adresse d au moins un destinataire invalide |
        adresse d'au moins un destinataire invalide | adresse inexistante | adresse invalide | adresse introuvable |
        n'existe pas | n existe pas | inexistante | compte inexistant | compte inconnu | boîte inconnue |
        boite inconnue | boîte aux lettres inconnue | est introuvable | introuvable | n'a pas été trouvée |
        n'a pas été trouvé | pas été trouvé | pas reconnu | non reconnu | adresse email invalide |
        invalid recipient adresse | ofr204_4 | aucun utilisateur | mauvaise adresse |
        boîte aux lettres inexistante
    """,
    "unknown_domain": """
        domaine inconnu | domaine inexistant | nom de domaine | domaine introuvable | hôte inconnu |
        serveur inconnu
    """,
    "disabled": """
        compte désactivé | compte desactive | compte fermé | compte suspendu | boîte désactivée | boite desactivee |
        désactivée | désactivé | n'est plus active | n'est plus actif | n'est plus valide | n'est plus utilisée |
        inactif | inactive | résilié | a été fermé | plus en service | archivee | archivée
    """,
    "too_large": """
        message trop volumineux | message trop gros | trop volumineux | taille maximale | taille du message |
        dépasse la taille | trop grand
    """,
    "temporary": """
        délai dépassé | delai depasse | connexion refusée | ne répond pas | injoignable
    """,
    "maybe_hard": """
        ne peut recevoir | ne peut pas recevoir | non distribuable
    """,
    "maybe_policy": """
        refusé | rejeté | interdit | non autorisé
    """,
    "maybe_soft": """
        réessayer plus tard | reessayer plus tard | veuillez essayer plus tard | temporairement | momentanément
    """,
}
signs: dict[str, str] = {
    "subjects": """
        non remis | échec de la remise | echec de la remise | non distribué | non délivré | échec d'envoi |
        échec de distribution | échec de livraison | échec de l'acheminement | echec de distribution |
        message non délivré | message non distribué | avis de non-remise | avis de non-distribution |
        non délivrable | retour à l'expéditeur | impossible de remettre | erreur de distribution | courrier non |
        échec de la distribution | message refusé | ne peut être remis | remise impossible |
        notification d'état de remise
    """,
    "intros": """
        n'a pas pu être remis | n'a pas pu etre remis | n'a pas pu être délivré | n'a pas pu etre delivre |
        n'a pu être | n'a pas pu être distribué | n'a pas pu être livré | n'a pas été remis | n'a pas été délivré |
        n'a pas été distribué | n'a pas été transmis | échec de la remise | impossible de remettre |
        impossible de délivrer | ne peut pas être remis | ne peut être délivré | non remis | non délivré |
        a été rejeté | a été refusé | a échoué | erreur permanente | aux destinataires suivants |
        au destinataire suivant | aux adresses suivantes | n'a pas atteint | pas pu être envoyé |
        n'a pas été distribue
    """,
    "delays": """
        simple avertissement | n'avez pas besoin de renvoyer | inutile de renvoyer | remise est retardée | retardé |
        sera retenté | continuera à essayer | nouvelles tentatives | pas encore été remis | pas encore été délivré |
        tentera de remettre | retard de remise | ne pas renvoyer
    """,
    "permanent": """
        erreur permanente | échec définitif | abandon | définitivement
    """,
    "autoreplies": """
        absence du bureau | absent du bureau | absence | absent | absente | réponse automatique | en congé |
        en congés | en vacances | congé maternité | hors du bureau | accusé de réception | accusé de lecture |
        lu : | votre demande | nous avons bien reçu | votre message a bien été reçu | merci de votre
    """,
    "delivered": """
        a été remis | remis avec succès | a été lu | accusé de réception | a bien été remis
    """,
    "originals": """
        message d'origine | message original | message initial | copie du message | copie de votre message |
        en-têtes
    """,
}
