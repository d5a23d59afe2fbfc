"""What servers and machines say in English: subjects, openings, warnings of delay, answers of machines."""

from __future__ import annotations

signs: dict[str, str] = {
    "subjects": """
        undeliverable | undelivered | undeliver | returned mail | returned to sender | return to sender |
        mail returned | returned email | returned message | message returned | non-delivery | nondeliverable |
        non delivery | nondelivery | delivery failure | delivery failed | delivery has failed |
        delivery status notification | delivery error | delivery problem | delivery report | delivery unsuccessful |
        delivery notification | failure notice | failure delivery | failed delivery | failed mail |
        failed to deliver | failure to deliver | failed transaction | mail failure | mail failed | mail error |
        email error | error sending | mail system error | mail delivery failed | mail delivery failure |
        mail delivery problem | mail delivery error | mail delivery subsystem | mail delivery system |
        mail could not be delivered | could not be delivered | not delivered | not deliverable | cannot deliver |
        unable to deliver | couldn't be delivered | message you sent blocked | message rejected | mail rejected |
        email rejected | rejected mail | message undeliverable | message not delivered | message could not |
        message status - undeliverable | message delivery | bounced | bounce | user unknown | unknown user |
        unknown recipient | invalid recipient | invalid address | recipient unknown | address unknown |
        mailbox full | quota exceeded | dsn: | ndr: | ndn: | mail delivery | blocked | notification: message |
        notification of | notice: mail | report of | problem delivering | permanent delivery failure |
        permanent error | transient | system error | smtp error | postmaster notify | rejected | unzustellbar |
        recipient not | addresses failed | warning: could not send
    """,
    "intros": """
        could not be delivered | couldn't be delivered | cannot be delivered | can not be delivered |
        can't be delivered | wasn't delivered | was not delivered | were not delivered | has not been delivered |
        not been delivered | not delivered to | undeliverable | undelivered | unable to deliver |
        unable to be delivered | wasn't able to deliver | was not able to deliver | not able to deliver |
        could not deliver | couldn't deliver | cannot deliver | can't deliver | failed to deliver |
        failed to be delivered | failed delivery | delivery failed | delivery has failed |
        delivery to the following recipient | delivery failure | delivery to * failed | permanent fatal errors |
        transcript of session | session transcript | did not reach the following | returned to you |
        returned to sender | is being returned | was returned | being returned | has been returned |
        unsent message | rejected your message | message was rejected | message has been rejected |
        has been rejected | was rejected | mail was rejected | errors occurred | error occurred |
        an error occurred while | not successful | unsuccessful | was unsuccessful | failed permanently |
        permanent error | permanently failed | delivery error | address failed | addresses failed |
        failed addresses | failed address | failed recipient | failed for the following | following recipients |
        following recipient | following destination addresses | problem delivering | problems delivering |
        trouble delivering | this is a permanent | mail delivery error | mail transport | remote host said |
        remote host replied | said: | message from * was blocked | message not delivered | message not accepted |
        refused to accept | couldn't be found | wasn't found at | address not found | message blocked |
        recipient inbox full | mail is undeliverable | could not be sent | couldn't be sent | unable to send |
        can not be sent | failed to send | delivery attempts | smtp error | non-delivery | nondelivery |
        not be delivered | could not send your message | following address(es) | following addresses
    """,
    "delays": """
        warning message only | do not need to resend | don't need to resend | no need to resend | need not resend |
        delivery is delayed | delivery delayed | mail delayed | message delayed | delivery incomplete |
        delivery status notification (delay) | delay notification | will be retried | will keep trying |
        will continue to try | will continue trying | continue to try | still being retried |
        delivery attempts will continue | attempts to deliver the message will continue | still trying |
        message is still in the queue | remains in the queue | not yet been delivered | not been delivered yet |
        not yet delivered | has not yet been delivered | could not be delivered for more than |
        warning: could not send message | warning: message still undelivered | still undelivered |
        could not be delivered immediately | will be reattempted | queued for later | you do not have to resend |
        you will be notified if | no action is required on your part | no further action is required |
        delivery attempts to it will continue | this warning may be repeated | this is a warning |
        delivery is being retried | still trying to deliver | message will be retried | we will continue |
        not been able to deliver * yet | delivery warning | delayed:
    """,
    "permanent": """
        permanent error | permanent fatal | permanently | given up | gave up | no further attempts |
        will not be retried | not be retried | has been returned | being returned | final attempt |
        delivery failed | could not be delivered to one or more | delivery failure | final failure |
        retry timeout exceeded | was not delivered | failure notice | will not be attempted | failed after |
        message expired | delivery expired | not try again | couldn't be delivered | no more attempts
    """,
    "autoreplies": """
        out of office | out of the office | out-of-office | automatic reply | auto reply | auto-reply | autoreply |
        auto response | auto-response | autoresponse | autoresponder | automatic response | automated reply |
        automated response | auto: | auto : | away from | on vacation | vacation | on holiday | on leave |
        maternity leave | parental leave | annual leave | absence | i am away | i'm away | away message | absent |
        thank you for your | thank you for contacting | thanks for contacting | we received your |
        we have received | your request | ticket | case # | confirm your | please confirm | verify your |
        challenge | read: | not read: | read receipt | return receipt | delivered: | relayed: |
        message confirmation | email address change | change of email | no longer with | has left |
        left the company | new email address | moving on
    """,
    "delivered": """
        successfully delivered | delivered successfully | successful delivery |
        delivery to these recipients or groups is complete | was successfully relayed | message has been delivered |
        message was delivered to | successfully relayed | has been read | was read on | was read by |
        return receipt | delivery confirmation | delivery status notification (success) |
        delivery status notification (relay) | successful mail delivery | relayed to | was displayed |
        has been displayed | delivery notification only | has received your message |
        was deleted without being read
    """,
    "originals": """
        --- below this line is a copy of the message | below this line is a copy of |
        this is a copy of your message | this is a copy of the message | this is a copy of | original message |
        original mail | unsent message | undelivered message | returned message | message header follows |
        message headers follow | headers of the message | header of the original message | headers of the original |
        original headers | message text follows | message follows | start of returned message |
        your original message | your message follows | a copy of the original | original message follows |
        copy of your message | returned mail follows | received header | the following message |
        text of your message | text of the original | the first * lines | first * bytes | forwarded message |
        begin returned message | the body of your message | beginning of the original | old message
    """,
    "maybe_delays": """
        has been delayed | been delayed | delayed mail | delay notice | will retry | will try again | keep trying |
        temporary non-delivery | will be tried again | reattempt | deferred | temporarily delayed
    """,
    "certain": """
        following mail could not be delivered | mail could not be delivered to |
        this message was created automatically by mail delivery | message was created automatically |
        this is the qmail-send program | this is the mail system at | this is the postfix program |
        i'm sorry to have to inform you | non-delivery report | delivery status notification |
        automatically generated delivery | permanent fatal errors | permanent fatal delivery |
        transcript of session | session transcript | delivery to the following recipient |
        did not reach the following recipient | your message could not be delivered |
        your message was not delivered | message not delivered to the following |
        the following recipients did not receive | could not be delivered to |
        cannot be delivered to the following | this is a permanent error | mail delivery error |
        mail delivery failed | message undeliverable | undeliverable message | undeliverable mail |
        unable to deliver message to | delivery failure notification | the following address had |
        unable to deliver your message | your message did not reach some | you sent mail to | failed recipient |
        delivery has failed to these | was undeliverable | wasn't delivered to | processing your message |
        unable to deliver your mail
    """,
}
