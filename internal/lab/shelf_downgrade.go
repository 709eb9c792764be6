package lab

// Attacks that bring two sides to something weaker than what both have.

var freak = &Experiment{
	Name: "freak", Title: "FREAK: suites that were made to be broken",
	Story: []string{
		"Until 2000 software that left the United States had to have weak keys: the export suites, with RSA keys of 512 bits. They stayed in servers for fifteen years more.",
		"In 2015 somebody in the middle asked such a server for them in the client's name. Clients took the weak key though they had never asked for it, and 512 bits are broken in hours.",
		"The suites 0003 and 0006 are RSA_EXPORT with RC4 and RC2.",
	},
	Look:   "The ClientHello in the two accounts: they are not the same. Then who refuses, and with which alert.",
	Answer: "There are no export suites here. A server that has none refuses, and a client takes no suite that it has not offered.",
	Refs:   []string{"CVE-2015-0204", "RFC 5246 §7.4.1.3", "RFC 8446 §4.1.3"},
	cases: []Case{
		{Title: "The server is asked for export suites", Setup: Setup{Suites: []string{rsaCBC}}, Deviation: &Deviation{Kind: "offer-suites", Text: "0003 0006"}},
		{Title: "The client is told that one was chosen", Setup: Setup{Suites: []string{rsaCBC}}, Deviation: &Deviation{Kind: "answer-suite", Text: "0003"}},
	},
	claims: []claim{
		{"The server has nothing of the kind, and refuses with handshake_failure.", came(0, Refused, "server", "handshake_failure")},
		{"The client takes only what it has offered, and refuses with illegal_parameter.", came(1, Refused, "client", "illegal_parameter")},
	},
}

var logjam = &Experiment{
	Name: "logjam", Title: "Logjam: a group that is too small",
	Story: []string{
		"In DHE the server says in which group both compute. A group of 512 bits can be broken while a handshake waits. For 1024 bits a state can do the work once for a prime, and millions of servers used the same.",
		"The server here has a group of 1024 bits: the second of RFC 2409.",
	},
	Look:   "The field dh_p of ServerKeyExchange, and its length.",
	Answer: "A client takes no group below DHE.MinBits, 2048 by default; 1024 needs Legacy.SmallDH.",
	Refs:   []string{"CVE-2015-4000", "RFC 7919 §3", "RFC 5246 §7.4.3"},
	cases: []Case{
		{Title: "A server with 1024 bits", Setup: Setup{Suites: []string{dheGCM}, Server: Settings{DHBits: 1024}}},
		{Title: "The same, and the client has Legacy.SmallDH", Setup: Setup{Suites: []string{dheGCM}, Client: Settings{DHBits: 1024}, Server: Settings{DHBits: 1024}}},
		{Title: "A server with a group of RFC 7919", Setup: Setup{Suites: []string{dheGCM}}},
	},
	claims: []claim{
		{"The client refuses 1024 bits.", func(p *Played) bool {
			return p.finding(0).Outcome == Failed && p.finding(0).By == "client" && p.Runs[0].Result.Client.Summary.DHBits == 1024
		}},
		{"With the switch it takes them.", func(p *Played) bool {
			return came(1, Honest, "", "")(p) && p.Runs[1].Result.Client.Summary.DHBits == 1024
		}},
		{"By default a server uses 2048 bits or more.", func(p *Played) bool {
			return came(2, Honest, "", "")(p) && p.Runs[2].Result.Client.Summary.DHBits >= 2048
		}},
	},
}

var sentinels = &Experiment{
	Name: "sentinels", Title: "Downgrade: the marks in the server's random",
	Story: []string{
		"The hellos are not encrypted. Somebody in the middle can take the better versions out of the ClientHello, and hope that the two agree on one that it can break.",
		"A server that could do better than it is asked to says so. The last eight bytes of its random are DOWNGRD and a digit. It cannot say so in a field, for old clients know none, and a field could be taken out. But the random is in the keys and under the signature.",
		"A client that is refused may try again with less by itself. Then it marks its hello (TLS_FALLBACK_SCSV), and a server that could do better refuses.",
	},
	Look:   "The end of the server's random in the client's account: 44 4f 57 4e 47 52 44.",
	Answer: "Both marks are sent and looked at by default. The Finished covers the hellos too, as each side saw them.",
	Refs:   []string{"RFC 8446 §4.1.3", "RFC 7507"},
	cases: []Case{
		{Title: "TLS 1.3 is taken away", Setup: Setup{}, Deviation: &Deviation{Kind: "lower-version", Text: "TLS 1.2"}},
		{Title: "TLS 1.2 is taken away", Setup: Setup{Min: "TLS 1.0", Max: "TLS 1.2"}, Deviation: &Deviation{Kind: "lower-version", Text: "TLS 1.0"}},
		{Title: "All but SSL 3.0 is taken away", Setup: Setup{Min: "SSL 3.0", Max: "TLS 1.2", Suites: []string{rsaCBC}}, Deviation: &Deviation{Kind: "lower-version", Text: "SSL 3.0"}},
		{Title: "A client tries again with less, and says so", Setup: Setup{Client: Settings{Min: "TLS 1.0", Max: "TLS 1.1", Legacy: []string{"FallbackSCSV"}}, Server: Settings{Min: "TLS 1.0", Max: "TLS 1.2"}}},
		{Title: "A client that has no better says no such thing", Setup: Setup{Client: Settings{Min: "TLS 1.0", Max: "TLS 1.1"}, Server: Settings{Min: "TLS 1.0", Max: "TLS 1.2"}}},
	},
	claims: []claim{
		{"A client that knows TLS 1.3 or 1.2 sees the mark, and refuses with illegal_parameter.", func(p *Played) bool {
			return came(0, Refused, "client", "illegal_parameter")(p) && came(1, Refused, "client", "illegal_parameter")(p) && came(2, Refused, "client", "illegal_parameter")(p)
		}},
		{"The mark is in the server's random.", func(p *Played) bool {
			return heardOnTheWire(p.Runs[0].Result, []byte("DOWNGRD\x01")) && heardOnTheWire(p.Runs[1].Result, []byte("DOWNGRD\x00"))
		}},
		{"A server that could do better refuses a marked hello with inappropriate_fallback.", came(3, Failed, "server", "inappropriate_fallback")},
		{"An old client, which has no better, is served.", came(4, Honest, "", "")},
	},
}
