package lab

// Shelf are the experiments, in the order in which to do them.
var Shelf = []*Experiment{
	fourWays, listener, middle, freak, logjam, sentinels, poodle, bleichenbacher, lucky13, crime, prefix, triple, replays, sweet32, truncation,
}

const (
	rsaCBC   = "TLS_RSA_WITH_AES_128_CBC_SHA"
	rsaGCM   = "TLS_RSA_WITH_AES_128_GCM_SHA256"
	dheGCM   = "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"
	ecdheGCM = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"
	ecdheCBC = "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"
	pskGCM   = "TLS_PSK_WITH_AES_128_GCM_SHA256"
)

var fourWays = &Experiment{
	Name: "keys", Title: "The four ways to agree on a key",
	Story: []string{
		"Two sides that have never met need a secret that nobody else has, though everybody can listen. Up to TLS 1.2 there are four ways.",
		"RSA: the client makes the secret up and encrypts it to the server's certificate. DHE and ECDHE: each side makes a number up and sends what follows from it. From its own number and the other's message each computes the same secret. Nobody can from the two messages alone. PSK: both have the secret already, and only its name goes over the wire.",
		"TLS 1.3 kept the second and the last: if somebody gets a certificate's key, years later, they read all that was encrypted to it.",
	},
	Look:   "Compare ServerKeyExchange and ClientKeyExchange of the four, and the node from which the master secret grows.",
	Answer: "Use ECDHE, or DHE with 2048 bits or more. The library has RSA behind Legacy.RSAKeyExchange.",
	Refs:   []string{"RFC 5246 §7.4.3", "RFC 5246 §7.4.7", "RFC 8422 §5", "RFC 4279 §2", "docs/key-exchanges.md"},
	cases: []Case{
		{Title: "RSA", Setup: Setup{Suites: []string{rsaGCM}}},
		{Title: "DHE", Setup: Setup{Suites: []string{dheGCM}}},
		{Title: "ECDHE", Setup: Setup{Suites: []string{ecdheGCM}}},
		{Title: "PSK", Setup: Setup{Suites: []string{pskGCM}}},
	},
	claims: []claim{
		{"All four connections complete, and both sides have the same master secret.", func(p *Played) bool {
			for _, x := range p.Runs {
				a, b := secretOf(x.Result.Client, "master_secret"), secretOf(x.Result.Server, "master_secret")
				if x.Result.Finding.Outcome != Honest || a == nil || b == nil || a.Value.String() != b.Value.String() {
					return false
				}
			}
			return true
		}},
		{"With RSA the server sends no ServerKeyExchange: the client alone makes the secret up.", func(p *Played) bool { return !sends(p.Runs[0].Result.Client, "server", "ServerKeyExchange") }},
		{"With DHE and ECDHE both sides send a share.", func(p *Played) bool {
			return sends(p.Runs[1].Result.Client, "server", "ServerKeyExchange") && sends(p.Runs[2].Result.Client, "server", "ServerKeyExchange") &&
				sends(p.Runs[1].Result.Client, "client", "ClientKeyExchange") && sends(p.Runs[2].Result.Client, "client", "ClientKeyExchange")
		}},
		{"With PSK no certificate is sent, and the key's name goes over the wire in the clear.", func(p *Played) bool {
			r := p.Runs[3].Result
			return !sends(r.Client, "server", "Certificate") && heardOnTheWire(r, []byte(pskIdentity)) && !heardOnTheWire(r, []byte(pskKey))
		}},
		{"The premaster secret of none of the four goes over the wire as it is.", func(p *Played) bool {
			for _, x := range p.Runs {
				s := secretOf(x.Result.Client, "premaster_secret")
				if s == nil || heardOnTheWire(x.Result, s.Value) {
					return false
				}
			}
			return true
		}},
	},
}

var middle = &Experiment{
	Name: "middle", Title: "A man in the middle with a certificate of its own",
	Story: []string{
		"Somebody on the path answers in the server's place. It has no certificate for the name from an authority that the client trusts, so it makes one itself: that takes a second.",
		"The first client looks at who signed the certificate. The second does not, like a program in which somebody has switched that off because of an error message.",
	},
	Look:   "In the first run, the alert after the Certificate. In the second, what the server's account shows: it is the attacker's, and the cookie is in it.",
	Answer: "The chain must end in an authority that the client trusts, and the certificate must be for the name that it asked for. Both are always looked at, unless InsecureSkipVerify is set.",
	Refs:   []string{"RFC 5280 §6.1", "RFC 9525", "RFC 5246 §7.4.2"},
	cases: []Case{
		{Title: "A client that looks", Setup: Setup{Authority: stranger}},
		{Title: "A client that does not look", Setup: Setup{Authority: stranger, Client: Settings{Insecure: true}}},
		{Title: "The certificate is swapped on the way", Setup: Setup{Suites: []string{ecdheGCM}}, Deviation: &Deviation{Kind: "swap-certificate"}},
		{Title: "It is swapped, and the client does not look", Setup: Setup{Suites: []string{ecdheGCM}, Client: Settings{Insecure: true}}, Deviation: &Deviation{Kind: "swap-certificate"}},
	},
	claims: []claim{
		{"The client that looks refuses with unknown_ca, before it has said anything of its own.", func(p *Played) bool {
			return came(0, Failed, "client", "unknown_ca")(p) && len(p.Runs[0].Result.ServerGot) == 0
		}},
		{"The client that does not look gives its cookie to the attacker.", func(p *Played) bool {
			return came(1, Honest, "", "")(p) && string(p.Runs[1].Result.ServerGot) == p.Runs[1].Result.setup.request()
		}},
		{"A certificate alone is not enough. One that is swapped on the way does not fit the server's signature, so even the client that does not look refuses.", func(p *Played) bool {
			return came(2, Refused, "client", "unknown_ca")(p) && came(3, Refused, "client", "decrypt_error")(p) && p.finding(3).Message == "ServerKeyExchange"
		}},
	},
}

var truncation = &Experiment{
	Name: "truncation", Title: "Truncation: an end that nobody has said",
	Story: []string{
		"TCP says when a stream ends, but anybody on the path can say so too: one forged packet is enough. So each side of TLS says under its keys that it has said all: close_notify.",
		"Some programs take the end of TCP for the end of the data, and so a part for the whole: half of a script, half of a list of revoked certificates, a log-out that never arrives.",
	},
	Look:   "The last record of the server, and what the client makes of it that it is missing.",
	Answer: "An end without close_notify is an error of its own (io.ErrUnexpectedEOF), never the end of the data. Legacy.UnannouncedEnd gives that up.",
	Refs:   []string{"RFC 8446 §6.1", "RFC 5246 §7.2.1"},
	cases: []Case{
		{Title: "Nobody cuts", Setup: Setup{}},
		{Title: "Cut before close_notify", Setup: Setup{}, Deviation: &Deviation{Kind: "end", From: "server", At: 5}},
		{Title: "The same, with Legacy.UnannouncedEnd", Setup: Setup{Client: Settings{Legacy: []string{"UnannouncedEnd"}}}, Deviation: &Deviation{Kind: "end", From: "server", At: 5}},
		{Title: "Cut inside a record, with Legacy.UnannouncedEnd", Setup: Setup{Client: Settings{Legacy: []string{"UnannouncedEnd"}}}, Deviation: &Deviation{Kind: "truncate", From: "server", At: 4, Byte: 20}},
	},
	claims: []claim{
		{"The last record of the server is its close_notify.", func(p *Played) bool {
			all := recordsOf(p.Runs[0].Result.Client, "server")
			return len(all) == 5 && all[4].Type == "alert" && p.Runs[0].Result.Client.Summary.ClosedByServer
		}},
		{"Cut before it, the client is told that there may be more.", came(1, Cut, "client", "")},
		{"With the switch the same cut looks like the end.", came(2, Harmless, "", "")},
		{"A record that is cut in two is an error even then.", came(3, Cut, "client", "")},
	},
}

var replays = &Experiment{
	Name: "replay", Title: "Replay: the same once more",
	Story: []string{
		"A listener can keep what was sent, and send it again, without understanding a byte of it. If it was an order, it is an order again.",
		"A record once more, inside its connection: each record has a number that its MAC or tag covers, and the number is never sent. A whole session once more: the server's random is in every key, so what fits one connection fits no other.",
	},
	Look:   "The number (seq) of the record that does not open, and the first record in the second connection that the server cannot read.",
	Answer: "Sequence numbers, and fresh randoms and key shares of both sides. Only 0-RTT data of TLS 1.3 has neither: a server takes it by name alone, and each ticket brings it once.",
	Refs:   []string{"RFC 8446 §5.3", "RFC 5246 §6.2.3.1", "RFC 8446 §8"},
	cases: []Case{
		{Title: "A record once more, TLS 1.3", Setup: Setup{}, Deviation: &Deviation{Kind: "duplicate", From: "client", At: 4}},
		{Title: "A record once more, SSL 3.0", Setup: Setup{Min: "SSL 3.0", Max: "SSL 3.0"}, Deviation: &Deviation{Kind: "duplicate", From: "client", At: 6}},
		{Title: "A whole session once more, RSA", Setup: Setup{Suites: []string{rsaCBC}}, Deviation: &Deviation{Kind: replaySession}},
		{Title: "A whole session once more, TLS 1.3", Setup: Setup{}, Deviation: &Deviation{Kind: replaySession}},
	},
	claims: []claim{
		{"The record that comes once more does not open, in TLS 1.3 and in SSL 3.0.", func(p *Played) bool {
			return came(0, Refused, "server", "bad_record_mac")(p) && came(1, Refused, "server", "bad_record_mac")(p)
		}},
		{"The server is given the request once, and not twice.", func(p *Played) bool {
			return string(p.Runs[0].Result.ServerGot) == p.Runs[0].Result.setup.request() && string(p.Runs[1].Result.ServerGot) == p.Runs[1].Result.setup.request()
		}},
		{"Of a session that is replayed the server takes the hello, and then can open nothing.", func(p *Played) bool {
			for n := 2; n < 4; n++ {
				r := p.Runs[n].Result
				if !came(n, Refused, "server", "bad_record_mac")(p) || len(r.ServerGot) > 0 || !sends(r.Server, "client", "ClientHello") {
					return false
				}
			}
			return true
		}},
	},
}
