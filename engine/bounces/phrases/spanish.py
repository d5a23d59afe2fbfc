"""What servers and machines say in Spanish."""

from __future__ import annotations

reasons: dict[str, str] = {
    "full": """
        buzón lleno | buzon lleno | buzón está lleno | buzon esta lleno | buzón de correo lleno | casilla llena |
        bandeja de entrada * llena | cuota excedida | excede la cuota | excedió la cuota | excedido su cuota |
        superado la cuota | supera la cuota | sin espacio | espacio insuficiente | cuota de disco | buzón * lleno |
        casilla * llena | ha excedido
    """,
    "sender": """
        remitente rechazado | remitente no autorizado | dirección del remitente | remitente bloqueado
    """,
    "spam": """
        considerado spam | como spam | correo no deseado | correo basura | es spam
    """,
    "blocked": """
        lista negra | bloqueado | bloqueada | reputación | políticas de seguridad | política de seguridad
    """,
    "content": """
        contenido no permitido | contiene virus | archivo adjunto no permitido | adjunto no permitido
    """,
    "relay": """
        relay denegado | no se permite relay | reenvío no permitido
    """,
    "unknown_user": """
        usuario desconocido | usuario inexistente | usuario no existe | usuario no encontrado | usuario no válido |
        destinatario desconocido | destinatario inexistente | destinatario no existe | destinatario no encontrado |
        destinatario inválido | destinatario no válido | dirección desconocida | dirección inexistente |
        dirección no existe | dirección no encontrada | dirección inválida | no existe | buzón desconocido |
        buzón inexistente | buzón no existe | cuenta no existe | cuenta inexistente | cuenta de correo no existe |
        no se encontró | no se ha encontrado | no se pudo encontrar | no encontrado | no encontrada |
        no ha sido encontrado | no se ha podido encontrar | no hay ningún usuario
    """,
    "unknown_domain": """
        dominio desconocido | dominio inexistente | dominio no existe | dominio no encontrado |
        no existe el dominio | servidor desconocido | host desconocido
    """,
    "disabled": """
        cuenta deshabilitada | cuenta desactivada | cuenta suspendida | cuenta inactiva | cuenta cancelada |
        cuenta cerrada | buzón deshabilitado | buzón desactivado | buzón inactivo | deshabilitado | deshabilitada |
        desactivado | desactivada | suspendida | suspendido | ya no está disponible | ya no está activa |
        ya no existe | dado de baja | dada de baja | ha expirado | inactivo | inactiva
    """,
    "too_large": """
        mensaje demasiado grande | tamaño máximo | tamaño del mensaje | supera el tamaño | excede el tamaño |
        demasiado grande
    """,
    "temporary": """
        tiempo de espera | tiempo agotado | conexión rechazada | no responde | no disponible en este momento
    """,
    "maybe_hard": """
        no se puede entregar a | no puede recibir
    """,
    "maybe_policy": """
        rechazado | rechazada | denegado | no permitido | no autorizado
    """,
    "maybe_soft": """
        temporalmente | inténtelo más tarde | intente más tarde | intentelo mas tarde
    """,
}
signs: dict[str, str] = {
    "subjects": """
        no se puede entregar | no se ha podido entregar | no se pudo entregar | no entregado | error de entrega |
        fallo de entrega | fallo en la entrega | fallo de envío | falla en la entrega | error en la entrega |
        entrega fallida | correo devuelto | mensaje devuelto | devuelto al remitente | mensaje no entregado |
        notificación de estado de entrega | notificación de error | no entregable | mensaje rechazado |
        aviso de no entrega | informe de no entrega | error al enviar
    """,
    "intros": """
        no se pudo entregar | no se ha podido entregar | no pudo ser entregado | no ha podido ser entregado |
        no ha podido entregarse | no pudo entregarse | no fue entregado | no ha sido entregado | no se entregó |
        no se puede entregar | no puede ser entregado | error de entrega | ha sido rechazado | fue rechazado |
        ha sido devuelto | no ha sido posible entregar | no fue posible entregar | imposible entregar |
        error permanente | a los siguientes destinatarios | al siguiente destinatario |
        a estos destinatarios o grupos | las siguientes direcciones | no llegó | no se pudo enviar | falló |
        ha fallado
    """,
    "delays": """
        esto es sólo una advertencia | solo una advertencia | sólo un aviso | no es necesario que reenvíe |
        no necesita reenviar | entrega retrasada | se ha retrasado | retrasado | seguirá intentando |
        se seguirá intentando | continuará intentando | volverá a intentar | aún no se ha entregado |
        todavía no se ha entregado | aún no ha sido entregado | retraso en la entrega
    """,
    "permanent": """
        error permanente | definitivo | definitivamente
    """,
    "autoreplies": """
        fuera de la oficina | fuera de oficina | respuesta automática | respuesta automatica | ausencia | ausente |
        de vacaciones | vacaciones | baja por maternidad | baja maternal | acuse de recibo |
        confirmación de lectura | leído: | hemos recibido su | gracias por su | su solicitud | autorespuesta
    """,
    "delivered": """
        ha sido entregado correctamente | entregado con éxito | se entregó correctamente | ha sido leído |
        fue leído | acuse de recibo
    """,
    "originals": """
        mensaje original | copia del mensaje | mensaje devuelto | cabeceras | encabezados
    """,
}
