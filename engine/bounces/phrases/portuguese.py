"""What servers and machines say in Portuguese."""

from __future__ import annotations

reasons: dict[str, str] = {
    "full": """
        caixa postal cheia | caixa postal está cheia | caixa de entrada * cheia | caixa cheia |
        caixa de correio cheia | caixa de correio está cheia | cota excedida | quota excedida | excedeu a cota |
        excedeu a quota | excedeu o limite | sem espaço | espaço insuficiente | limite de espaço | caixa * lotada |
        caixa * cheia | cota de armazenamento
    """,
    "sender": """
        remetente rejeitado | remetente não autorizado | endereço do remetente | remetente bloqueado
    """,
    "spam": """
        considerado spam | como spam | é spam | lixo eletrônico | mensagem não solicitada
    """,
    "blocked": """
        lista negra | bloqueado | bloqueada | reputação | política de segurança
    """,
    "content": """
        contém vírus | anexo não permitido | conteúdo não permitido | conteúdo rejeitado
    """,
    "relay": """
        relay negado | relay não permitido | relay nao permitido
    """,
    "unknown_user": """
        usuário desconhecido | usuario desconhecido | usuário inexistente | usuario inexistente |
        usuário não existe | usuário não encontrado | utilizador desconhecido | utilizador inexistente |
        destinatário desconhecido | destinatário inexistente | destinatário inválido | destinatário não existe |
        destinatário não encontrado | endereço inexistente | endereço desconhecido | endereço inválido |
        endereço não encontrado | endereço não existe | não existe | nao existe | conta inexistente |
        conta não existe | conta não encontrada | caixa postal inexistente | caixa postal não existe |
        não foi encontrado | não foi encontrada | não encontrado | não encontrada | não foi possível encontrar |
        não localizado | possível localizar | não localizada
    """,
    "unknown_domain": """
        domínio desconhecido | domínio inexistente | domínio não existe | domínio não encontrado |
        dominio inexistente | servidor desconhecido
    """,
    "disabled": """
        conta desativada | conta desabilitada | conta suspensa | conta inativa | conta cancelada | conta bloqueada |
        conta encerrada | caixa postal desativada | caixa postal inativa | caixa postal bloqueada | desativado |
        desativada | desabilitada | suspensa | inativo | inativa | não está mais disponível | não está mais ativa
    """,
    "too_large": """
        mensagem muito grande | mensagem grande demais | tamanho máximo | tamanho da mensagem | excede o tamanho |
        excedeu o tamanho
    """,
    "temporary": """
        tempo esgotado | tempo limite | conexão recusada | não responde | indisponível no momento
    """,
    "maybe_hard": """
        não pode receber
    """,
    "maybe_policy": """
        rejeitado | rejeitada | negado | negada | não permitido | não autorizado | recusado | recusada
    """,
    "maybe_soft": """
        temporariamente | tente novamente mais tarde | tente mais tarde
    """,
}
signs: dict[str, str] = {
    "subjects": """
        não foi possível entregar | não é possível entregar | não entregue | falha na entrega | falha de entrega |
        falha no envio | erro na entrega | erro de entrega | mensagem não entregue | mensagem devolvida |
        devolvida ao remetente | e-mail devolvido | email devolvido | email não entregue | e-mail não entregue |
        notificação de falha | notificação de status de entrega | mensagem rejeitada | retorno de mensagem |
        não pôde ser entregue
    """,
    "intros": """
        não pôde ser entregue | não pode ser entregue | nao pode ser entregue | nao pôde ser entregue |
        não foi entregue | não foi possível entregar | não foi possível enviar | não conseguimos entregar |
        não é possível entregar | falha na entrega | foi rejeitada | foi rejeitado | foi devolvida |
        erro permanente | aos seguintes destinatários | ao seguinte destinatário |
        para estes destinatários ou grupos | os seguintes endereços | não alcançou | não chegou
    """,
    "delays": """
        apenas um aviso | somente um aviso | não é necessário reenviar | não precisa reenviar | entrega atrasada |
        está atrasada | atrasada | atraso na entrega | continuará tentando | continuaremos tentando |
        tentará novamente | novas tentativas | ainda não foi entregue
    """,
    "permanent": """
        erro permanente | definitivamente
    """,
    "autoreplies": """
        fora do escritório | ausência | ausente | resposta automática | resposta automatica | de férias | férias |
        licença maternidade | licença | confirmação de leitura | lida: | recebemos sua | recebemos o seu |
        obrigado pelo | obrigado por | sua solicitação | autoresposta
    """,
    "delivered": """
        entregue com sucesso | foi entregue com | foi lida | confirmação de leitura
    """,
    "originals": """
        mensagem original | cópia da mensagem | cabeçalhos
    """,
}
