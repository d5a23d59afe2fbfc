"""What servers say in English, by what it means. `*` stands for up to 60 characters; order within a tuple is free."""

from __future__ import annotations

reasons: dict[str, str] = {
    "challenge": """
        sender not pre-approved | not pre-approved. follow | guest list | message is being held | mail is on hold |
        awaiting your confirmation
    """,
    "full": """
        mailbox full | mailbox is full | mailbox size limit | mailbox has exceeded | mailbox exceeds |
        mailfolder is full | mail box full | mail box is full | mailbox for user is full | mailbox * is full |
        mailbox quota | over quota | overquota | quota exceeded | exceeded quota | exceeds quota | exceed quota |
        exceeds * quota | exceeded * quota | quota exceed | quota is exceeded | quota violation | quota * exceeded |
        disk quota | out of disk space quota | exceeded storage | storage quota | exceeded * storage |
        storage limit | exceeds the maximum storage | not enough storage space | insufficient disk space |
        insufficient quota | would exceed mailbox | would exceed * quota | user is over the quota |
        user over quota | maildir over quota | maildir delivery failed: domaindisk quota | account is full |
        account full | inbox is full | inbox full | is over the limit allocated | over disk quota |
        exceeded its * limit | mailbox limit | exceeded the space limit | exceeded allocated size |
        over the allowed quota | too many messages in mailbox | too many mails in | no space left for the user |
        mailbox too large | mbox full | account is exceeding | out of storage space | has exceeded his/her |
        has run out of space | quota full | message would exceed | recipient storage full | user's mailbox is full |
        mailbox currently full | box full | recipient reached disk quota | mailbox has reached |
        exceeded email quota | is overquota | max. mailbox size | recipient overquota |
        delivery failed: over quota | quotaexceeded | storesizeexceeded | no available space |
        maximum mailbox size | mail quota | the user's space has been used up | account is over | full mailbox |
        over their quota | not enough disk space | exceeded his quota | email account is full |
        dd requested mail action aborted: exceeded | exceeds allocation | exceeded the size limit of the mailbox |
        exceed mailbox | overdrawn quota | mailboxfull | mail box space not enough | space not enough |
        mailbox space | disk space limit | exceeds allowed size | too many messages on the server |
        exceeding their quota | exceeding * quota | account is overquota | quota limit | box is over |
        receiving limits | enough space | would exceed maximum | too much mail data | over capacity | at capacity |
        reached its limit | storage is full | space is full | mailbox storage | storage allocation | exhausted
    """,
    "sender": """
        sender address rejected | sender rejected | sender denied | sender verify failed | sender verification |
        sender address verify | bad sender | invalid sender | sender domain | sender's domain |
        sender email address is on | sender * not found | sender * rejected | envelope sender | sender blocked |
        sender address has been blocked | sender not authorized | sender is not allowed | not authorized to send |
        not allowed to send | unauthorized sender | sender unauthenticated | domain of sender address |
        domain of sender | unresolvable sender | your email address is blocked | return address | from address is |
        mail from * does not exist | mail from domain | sender address is | refused due to recipient preferences |
        permission to send | sender id | sender not in | could not verify sender | callback verification |
        sender callout | your mail server | your server | your ip | your host | your domain | reverse dns | rdns |
        ptr record | no reverse | helo | ehlo | does not have a valid mx | sending domain | only accepts mail from |
        does not accept mail from | do not accept mail from | not accepting mail from your |
        isn't in my list of allowed | not in whitelist | not whitelisted | not on * whitelist |
        whitelisted senders | delivery restriction | does not have permission | resolver.rst.notauthorized |
        rst.authrequired | only accepts messages from | not permitted to send | sender's email address |
        sending server | sending mta | bounce verification | backscatter | bounce address tag | not accept bounces |
        null sender | sending host | group only accepts messages | sender * blacklisted | senders are not allowed |
        authenticated senders | not have permission to post | may not be a posting member |
        you are not allowed to post | does not allow * senders | restricted sms | is protected by | batv |
        from: domain | fully qualified | is not verified | not been verified | returned mail not accepted |
        ip name lookup | resolve your | go away | access from mail server | use the smtp server of |
        relay host name | non-member | members-only | members only | closed mailing list | organizational settings |
        not subscribed | mass mailer | not my mail exchanger | sending limit | hourly sending | daily sending |
        confirm this mail server | mismatches client | requires confirmation | not on the list of approved |
        approved senders | sender list | recipient is only accepting | recipient only accepts |
        a problem occurred. (ask | no access for this | domain must resolve | from:domain | address is restricted |
        not in the whitelist
    """,
    "spam": """
        spam message | as spam | is spam | be spam | spam score | spam content | spam detected | spam email |
        spam mail | spam filter | spamfilter | anti-spam | antispam | spam policy | no spam | spam engine |
        spamassassin | spam firewall | spam-like | spam block | spam found | spam reject | spam identified |
        spam is not | unsolicited | junk mail | junkmail | junk e-mail | suspected spam | spam suspected |
        possible spam | probable spam | likely spam | considered spam | spammy | appears to be spam |
        classified as | bulk mail | bulk email | rejected by spam | bayes | message contains spam |
        looks like spam | spam or virus | spam rule | surbl | uribl | dbl.spamhaus | user complaints |
        unexpected volume | dt:spm | dt:sum | hl:ipb | ip frequency limited | frequency limited |
        high probability of spam | message scored | mail rejected due to content | phishing | spam-related |
        identified spam | this is spam | spam in | uce$ | spamming | spammer | spam threshold | spam trap |
        spamtrap | too much spam | message rejected by * filter | score exceeded | hits the spam | spam: | (spam) |
        [spam] | spam) | ham/spam | email is spam | resembling spam | tagged as spam
    """,
    "blocked": """
        spamhaus | spamcop | barracudacentral | barracuda reputation | sorbs | dnsbl | rbl | njabl | cbl.abuseat |
        abuseat.org | blacklist | black list | black-list | blocklist | block list | block-list | blackholed |
        blocked using | blocked by | blocked for | blocked because | blocked due | is blocked | been blocked |
        are blocked | was blocked | blocked from | blocked - | block for | temporarily blocked | ip blocked |
        access blocked | mail blocked | message blocked | bad reputation | poor reputation | low reputation |
        reputation | senderscore | sender score | ip address is listed | is on our | suspicious | banned |
        ip address * rejected | client host * blocked | client host rejected | your network | dynamic ip |
        dynamic address | dialup | dial-up | open relay | open proxy | administratively prohibited |
        administrative prohibition | prohibited by administrator | security policy | policy violation |
        policy reasons | local policy | policy restriction | violates policy | violation of policy |
        rejected by policy | policy rejection | for policy | due to policy | organization's policy | site policy |
        message rejected for | mail refused | mail server has been | denied by policy | denied by user |
        admin policy | administrative policy | hourly limit | rate limit by reputation | unusual rate |
        feedback loop | postmaster block | permanently deferred | permanently rejected | see http://postmaster |
        connection refused by policy | rejecting connection | refused to talk to me | geoip | access denied, bad |
        your access to this mail system has been rejected | dynablock | dynamic/residential |
        has been temporarily rate limited due to ip reputation | banned sending ip | rejected for security |
        rule imposed | not accepted for policy | message refused by | rejected by content | access control |
        rbl restriction | connections will not be accepted | too many spam | ts01 | ts02 | ts03 | (s3140) |
        (s3150) | is listed in | is listed on | is listed at | is listed by | was listed in | currently listed |
        ip listed | address listed | listed in * blocklist | mi:spb | hl:itc | bounce attack |
        unfortunately, messages from | blocked - see | fully blocked | due to abuse | listed at | bad ip |
        too many bounces | bounced by administrator | rtr: | hvu: | rly: | con:b | mailpolicy | block- |
        permanent failure for * blocked
    """,
    "auth": """
        dmarc | spf$ | spf: | spf) | spf check | spf fail | spf- | openspf | dkim | domainkeys | arc fail |
        unauthenticated | not authenticated | authentication required | authentication checks |
        authentication is required | authentication failed | requires authentication | must be authenticated |
        sender policy framework | 5.7.26 | unauthorized relay | requires tls | tls required | starttls |
        must issue a starttls | encryption needed | encryption required | smtp auth | not signed | authenticate |
        required standards
    """,
    "relay": """
        relaying denied | relay denied | relay access denied | unable to relay | relaying not allowed |
        relay not permitted | relaying is prohibited | not permitted to relay | cannot relay | relay not allowed |
        we do not relay | we don't relay | no relaying | relaying prohibited | not relay | relay is not |
        is not permitted to relay through | not allowed to relay | relay rejected |
        that domain isn't in my list of allowed rcpthosts | domain isn't in my list of allowed | not a relay |
        not an open relay | relaying to | relay prohibited | relaying mail to | rcpthosts | relay the message |
        insecure mail relay | relay operation rejected | allowed to relay | relaying disallowed |
        configured to relay | as a relay
    """,
    "content": """
        malware | infected | worm | content rejected | message content rejected | content not accepted |
        prohibited content | attachment * not allowed | attachment type | blocked attachment | attachment blocked |
        attachments are not | dangerous attachment | forbidden attachment | banned attachment | banned file |
        file extension | executable | blocked by content filter | rejected by the content | content filter |
        content policy | content is not | objectionable content | profanity | contained unsafe content |
        suspicious content | mail content denied | illegal attachment | content restriction |
        content type rejected | not accepting mail with attachments | embedded images | html mail | too many urls |
        content violates | invalid content | header violation | potential security issue | security issues |
        bare lf | bare newline | invalid header | missing header | not rfc 5322 compliant | not rfc compliant |
        rfc 5322 | rfc5322 | rfc 2822 | rfc2822 | multiple 'from' | eicar | virus$ | viruses | virus found |
        virus detected | contains virus | header are not | header error | header is not | multiple addresses |
        images or other attachments | contains a link | links in | protocol violation | duplicate header |
        disallowed string
    """,
    "unknown_user": """
        user unknown | unknown user | no such user | user not found | unknown recipient | recipient unknown |
        unknown address | address unknown | unknown mailbox | mailbox unknown | unknown account | account unknown |
        unknown or illegal alias | unknown or invalid | no such mailbox | no such recipient | no such person |
        no such address | no such account | no such local user | no such domain user | no such name |
        no such email | no such customer | no such id | no user by that name | no mailbox here |
        no mailbox by that name | no mailbox with | no mailbox found | no mail box | no account by that name |
        no account with | no recipient | no valid recipient | no valid user | no known user | no known recipient |
        no one by that name | no * by that name | not a valid mailbox | not a valid user | not a valid recipient |
        not a valid address | not a known user | not a local user | not a user | not a valid account |
        not our customer | not our user | not a subscriber | not a member here | user doesn't exist |
        user does not exist | user don't exist | user * does not exist | user * doesn't exist | users do not exist |
        user is unknown | user not exist | user not known | user not listed | user not local | user invalid |
        user is invalid | user unkown | user unknow | user * not known | user * not found | user * unknown |
        user name is unknown | username not found | username unknown | recipient not found |
        recipient does not exist | recipient doesn't exist | recipient not exist | recipient * does not exist |
        recipient not known | recipient is unknown | recipient * not found | recipient invalid | invalid recipient |
        recipients are not valid | recipient is not | recipient no longer on server | recipient not local |
        recipient not recognized | recipient address unknown | recipient address rejected: user |
        recipient address rejected: unknown | recipient address rejected: no such |
        recipient address rejected: undeliverable | recipient address rejected: invalid |
        recipient address rejected: not | recipient does not | recipient has not been found | mailbox not found |
        mailbox does not exist | mailbox doesn't exist | mailbox not exist | mailbox * does not exist |
        mailbox * doesn't exist | mailbox invalid | mailbox is unknown | mailbox not available here |
        mailbox unavailable or | mailbox name not allowed | mailbox * not found | invalid mailbox |
        invalid address | address invalid | invalid user | invalid account | invalid email | invalid e-mail |
        mailbox is not | address does not exist | address doesn't exist | address not found |
        address * does not exist | address * doesn't exist | address * not found | address couldn't be found |
        address is unknown | address not known | address is not valid | address is invalid | address not valid |
        address not exist | address no longer | address error | addressee unknown | addressee not |
        address not listed | address * unknown | account does not exist | account doesn't exist |
        account not found | account that you tried to reach does not exist | account * does not exist |
        account * not found | account not exist | e-mail account does not exist | email account does not exist |
        email address could not be found | email address is not | email address wasn't found |
        email address you entered couldn't be found | wasn't found at | couldn't be found | could not be found |
        couldn't find the | can't be found | not be found | does not exist at | doesn't exist at | not found at |
        does not have an account | doesn't have a | does not have a mailbox | does not have a * account |
        doesn't have an account | hasn't an account | isn't a * user | not listed in |
        not listed in public name & address book | not listed in domino directory | not in the directory |
        no matches to nameserver query | not in my user | not in our | not known here | not known at |
        not recognized | not recognised | unrouteable address | unroutable address | unrouteable mail |
        undeliverable address | address undeliverable | bad destination mailbox | bad destination email |
        bad mailbox | bad recipient | bad address | badrcptto | bad username | this user does | this address does |
        this user doesn't | this address no longer accepts | that address | there is no such | there is no user |
        there is no mailbox | there is no account | nobody here by | does not exist here | doesn't exist here |
        non-existent user | nonexistent user | nonexistent recipient | nonexistent mailbox | non-existent |
        not exist in | not on server | mail for * not accepted here | no local mailbox | local user unknown |
        unknown local | unknown user account | unknown user name | unknown to address | unknown in |
        unknown at this | delivery to this address is not | this recipient e-mail address was not found |
        resolver.adr.recipnotfound | resolver.adr.recipientnotfound | resolver.adr.exrecipnotfound |
        adr.recipientnotfound | 550 unknown | 551 unknown | 550 rcpt to | rejected: user | verify recipient |
        unknown directory | unable to find recipient | cannot find user | can't find user | could not find user |
        couldn't find user | no email | mail receiver not | recipient email address is possibly incorrect |
        was not found in | ldap lookup | object not found | x.400 address | can't resolve | ambiguous address |
        ambiguous recipient | not unique | incorrectly addressed | no longer valid | is not valid | isn't valid |
        does not like recipient | no such alias | unknown alias | illegal alias | illegal user | does not exist |
        doesn't exist | not exist | doesnotexist | no match | no longer exists | not on this | is not known |
        not a registered | missing mailbox | unable to validate recipient | recipient validation | dosn't exist |
        dosen't exist | doesn't exists | recipient rejected, no | user was not found | not existing |
        verification failed for | nonexist | does not have a final email delivery point | did not exactly match |
        address not present | not present in | can't accept user | cannot accept user | mailbox is unavailable |
        mailbox not present | account unavailable | account is not available | account not available |
        not a local address | not email addresses | recipient not ok | envelope recipient has been denied |
        no one at this address | badrecipientto | badrcpt | validrcptto | missing home directory | bad destination |
        name directory | unknown email | unknown e-mail | unknown virtual user | not a valid email |
        not a valid e-mail | not found in directory | not in directory | no such mail drop | wrong recipient |
        user path no exist | not on post office | recipnotfound | users here by that name | several matches found |
        not a member of domain
    """,
    "unknown_domain": """
        host unknown | unknown host | host not found | host or domain name not found | domain not found |
        domain does not exist | domain doesn't exist | no such domain | no such host | unknown domain |
        domain unknown | nxdomain | name or service not known | name service error | nullmx | null mx |
        non-existent domain | nonexistent domain | domain is not | invalid domain | invalid host |
        bad destination host | bad destination system | domain name not found | couldn't find any host |
        couldn't find a mail exchanger | no mail exchanger | no mx | mx record | mx host | domain * not found |
        domain * couldn't be found | domain * does not exist | domain lookup | unrouteable mail domain |
        all relevant mx records point to non-existent hosts | no route to domain | destination domain |
        domain of recipient | dns error | name server: host not found | illegal host/domain | illegal host |
        recipient domain not | recipient domain does | recipient domain has | recipient domain is |
        recipient domain unknown | recipient domain must | host name lookup failure | hostname lookup | no host |
        has no mail exchanger | does not receive mail | doesn't receive mail | does not accept mail |
        doesn't accept mail | not accept any mail | not accept email | no longer accepts mail |
        address family not supported | is not hosted here | domain isn't hosted | not a valid domain |
        domain has expired | domain name does not exist | can't find domain | cannot find your domain |
        name does not exist | unresolvable | wrong domain | no such system | system unknown | unknown system |
        destination host unknown | unknown mail domain | badly formed domain | not configured to * domain |
        couldn't be found or is unable to receive | could not find a gateway for | unknown mail server |
        no gateway | no address associated with | doesn't handle mail | does not handle mail |
        not configured to accept mail | not our domain | domain is not reachable | no mail hosts for domain |
        no mail server for | no smtp service here | does not accept any mail | no mail accepted |
        host does not accept | not accept mail here | no route found to domain | host name is unknown
    """,
    "disabled": """
        account disabled | account is disabled | account has been disabled | account closed | account is closed |
        account has been closed | account deleted | account has been deleted | account expired |
        account has expired | account suspended | account is suspended | account has been suspended |
        account inactive | account is inactive | account is not active | account not active | account terminated |
        account is locked | account locked | account deactivated | account has been deactivated |
        account is deactivated | account that you tried to reach is disabled |
        account that you tried to reach is inactive | account is unavailable | account blocked |
        account is blocked | account * disabled | account * discontinued | account * inactive |
        account * suspended | account * deactivated | account * closed | account * expired | email account is over |
        mailbox disabled | mailbox is disabled | mailbox has been disabled | mailbox closed | mailbox deleted |
        mailbox inactive | mailbox is inactive | mailbox suspended | mailbox currently suspended | mailbox expired |
        mailbox locked | mailbox is locked | mailbox has been blocked | mailbox is blocked | mailbox deactivated |
        mailbox not active | mailbox * disabled | mailbox * inactive | mailbox * suspended | mailbox * expired |
        mailbox is frozen | mailbox frozen | mailbox no longer | mailbox is no longer | user disabled |
        user is disabled | user inactive | user is inactive | user suspended | user is suspended |
        user has been suspended | user deactivated | user not active | user account is | user account * disabled |
        user account * expired | user no longer | user has left | user locked | user * disabled | user * suspended |
        user * inactive | user deleted | user * terminated | recipient disabled | recipient is disabled |
        recipient suspended | recipient is suspended | recipient is inactive | recipient * suspended |
        recipient * disabled | recipient rejected: inactive | recipient deactivated | address disabled |
        address is disabled | address has been disabled | address is no longer | address inactive |
        address is inactive | no longer accepting | no longer active | no longer available | no longer in use |
        no longer in service | no longer use | no longer works | no longer with | no longer employed |
        no longer an | no longer a$ | is no longer | discontinued | has been disabled | has been deactivated |
        has been suspended | has been closed | has been terminated | has been discontinued | has been cancelled |
        has been removed | was disabled | currently disabled | currently inactive | inactive user |
        inactive recipient | inactive mailbox | inactive account | disabled recipient | disabled user |
        disabled mailbox | disabled account | deactivated | not activated | expired account |
        domain has been suspended | domain is disabled | domain disabled | domain inactive | domain suspended |
        extended inactivity | has not been activated | not accepting messages | dormant | frozen account |
        unsubscribed from | suspend the service | suspended the service | has been deleted | has been archived |
        mailbox * closed | account is not in use | mailbox is not active | account * is locked | due to inactivity |
        locked or suspended | not working with us | no longer work | left the company | left our company
    """,
    "moved": """
        has moved | user has moved | has been changed to | address has changed | new address is | moved to |
        please forward to | moved permanently | relocated | has been replaced by | address changed
    """,
    "too_large": """
        message too large | message too big | message size exceeds | message size | message exceeds | exceeds size |
        exceeds maximum | exceeds the maximum | exceeded the maximum | exceeds fixed maximum |
        maximum message size | max message size | message is too large | message is too big |
        message was too large | message file too big | message length exceeds | mail size | mail too large |
        size limit | too large for | too big for | larger than | size exceeds | too long | message larger |
        exceeds limit of | exceeding the limit | message size limit | size restrictions | rst.sendsizelimit |
        rst.recipsizelimit | message body exceeds | file too big | too big | too large | message length limit
    """,
    "temporary": """
        temporarily unavailable | temporarily deferred | temporarily rejected | temporary local problem |
        temporary lookup | greylist | grey list | grey-list | graylist | gray list | retry timeout exceeded |
        retry time | connection timed out | connection timeout | connection refused | connection reset |
        connection lost | lost connection | connection closed | connection dropped | connection died |
        connection broken | connection failed | connection was | timed out | time out | timeout |
        time limit exceeded | no route to host | network is unreachable | network unreachable |
        host is unreachable | host unreachable | no answer from host | not responding | did not respond |
        unable to connect | couldn't connect | could not connect | failed to connect | can't connect |
        cannot connect | conversation with | delivery time expired | message expired | queue too long |
        been in the queue too long | too long in queue | could not be delivered for | undelivered for |
        has not been collected | maximum retries | retries exceeded | too many hops | hop count exceeded |
        maximum hop count | mail loop | mail forwarding loop | loops back to myself | loop detected | routing loop |
        loopdetect | too many connections | too many concurrent | too many messages | too many recipients |
        too many sessions | rate limit | throttl | rate exceeded | exceeded the rate | too fast | too quickly |
        receiving mail at a rate | receiving mail too | too busy | server busy | system busy | system load |
        not available, closing | local configuration | misconfigur | software error | out of memory |
        no space left | insufficient system | insufficient storage | insufficient space | disk full |
        file system full | filesystem full | i/o error | input/output error | cannot open | can't open |
        can't create | cannot create | could not create | unable to create | cannot append | cannot write |
        write error | permission denied | command died | exit status | service error | maximum number of |
        exceeded * connections | dns failure | dns timeout | no dns | server failure | servfail | server shutting |
        delivery suspended | mailbox busy | mailbox is locked by | mailbox in use | unreachable |
        no longer be attempted | rcpt deferred | internal server | could not complete | unrecognized command |
        command unrecognized | mail system not | a message that you sent could not be delivered within |
        loop broken | loop was found | looping | interrupted | config error | exit code | pipe to | cannot lock |
        is busy | could not load | operation now in progress | queue file | forwarding loop | rewrite error |
        verification in progress | unverified address | dyn:t | improper use | 8-bit | 8bit | conversion failed
    """,
    "maybe_hard": """
        mailbox unavailable | recipient rejected | recipient address rejected | address rejected |
        recipient not allowed | recipient verify failed | recipient refused | recipient denied | unrouteable |
        not deliverable | undeliverable | invalid | inactive | disabled | suspended | unable to accept |
        is not accepting | not accepting mail | cannot receive | can't receive | unable to receive |
        cannot be reached | rejected recipient | bounced address | deliver mail for | permanent failure for |
        verify the address | check the * address | recipient addresses rejected
    """,
    "maybe_policy": """
        access denied | not allowed | rejected | refused | denied | policy | not permitted | not authorized |
        prohibited | not acceptable | unacceptable | blocked | spam | forbidden | security | not wanted |
        no permission | sender | reject | unauthorized | violat | filter | no authorized | no thanks | whitelist |
        restricted
    """,
    "maybe_soft": """
        try again later | try later | try again in | service unavailable | service not available |
        service currently unavailable | service is unavailable | command rejected | temporarily |
        temporary failure | temporary error | temporary problem | expired | syntax error | server error |
        internal error | lookup failed | lookup failure | unable to deliver | exceeded | limit exceeded |
        system error | local error | unexpected error | processing error | error in processing | resources |
        configuration error | protocol error | problem with | encountered an error | unknown error | undefined |
        conversion | not implemented | bad command | bad sequence | giving up | please retry | lookup | deferred |
        deferring | problem
    """,
}
