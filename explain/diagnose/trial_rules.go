package diagnose

// trialRules are the causes that only further connections can tell: what matches them are the
// answers of trials, not an account.
var trialRules = []rule{
	{id: "intermittent", fault: Server, mend: "find the server of the fleet that fails: its log, or its health check, tells"},
	{id: "address-broken", fault: Server, mend: "take the broken address out of the DNS, or mend what is behind it"},
	{id: "ipv6-broken", fault: Server, mend: "have the server listen on IPv6 too, open its firewall there, or take the AAAA record out of the DNS", settings: []string{"listen-tls"}},
	{id: "name-blocked", fault: Middle, mend: "ask the network's administrator: a filter looks at the name that is asked for"},
	{id: "split-intolerant", fault: Server, source: "RFC 8446 §5.1", mend: "upgrade what cannot put a hello together; until then, do not divide it"},
	{id: "segment-intolerant", settingsOf: Client, fault: Server, source: "RFC 9293 §3.4", mend: "upgrade what reads one segment of a hello; until then, send a shorter hello: without hybrid groups, or with fewer extensions", settings: []string{"groups"}},
	{id: "large-hello", settingsOf: Client, fault: Server, source: "RFC 8446 §4.1.2", mend: "upgrade what drops it; until then, have the client send a shorter hello: without hybrid groups, or with fewer extensions", settings: []string{"groups"}},
	{id: "hybrid-intolerant", settingsOf: Client, fault: Server, source: "draft-ietf-tls-ecdhe-mlkem", mend: "upgrade what does not take it; until then, have the client leave hybrid groups out", settings: []string{"groups"}},
	{id: "grease-intolerant", fault: Server, source: "RFC 8701 §3", mend: "upgrade the server: it must ignore what it does not know; until then, have the client send no GREASE"},
	{id: "extension-intolerant", fault: Server, source: "RFC 8446 §4.2", mend: "upgrade the server: it must ignore extensions that it does not know"},
	{id: "resumption-intolerant", settingsOf: Server, fault: Server, source: "RFC 8446 §4.2.11", mend: "upgrade the server: where it does not know a session it must go on with a full handshake; until then, have the client resume none", settings: []string{"session-tickets"}},
	{id: "version-intolerant", settingsOf: Client, fault: Server, source: "RFC 8446 §4.2.1, RFC 5246 §E.1", mend: "upgrade the server: it must answer with the newest version that it has; until then, have the client offer no TLS 1.3", settings: []string{"versions"}},
	{id: "psk-missing", fault: Client, source: "RFC 4279 §2", mend: "give the client an identity and its key, as the server has them, or the server a certificate", settings: []string{"psk", "certificate"}},
	{id: "ticket-keys", fault: Server, source: "RFC 5077 §5.5", mend: "give all servers of the fleet the same ticket keys, and change them together", settings: []string{"ticket-keys", "session-tickets"}},
}
