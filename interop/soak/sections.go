package main

import "context"

// section is one long check.
type section struct {
	name string // for -only
	what string // one line
	run  func(ctx context.Context, r *report) error
}

// sections are run in this order.
var sections = []section{
	{"load", "a server with 10,000 sockets, of which 1,000 are honest", runLoad},
	{"proxy", "vitrine proxy with 10,000 slow and hostile sockets, 2,000 requests a second, and 500 reloads", runProxy},
	{"fleet", "three proxies on one store at 3,000 handshakes a second, while the store and the proxies have all kinds of trouble", runFleet},
	{"replay", "what clients send in early data is sent again, a million times, to one server and to three, and comes out once", runReplay},
	{"mutations", "every flow of every version with every deviation of a rogue", runMutations},
	{"goroutines", "every test of every package runs alone, and leaves no goroutine", runGoroutines},
	{"fuzz", "every fuzz target runs for a while", runFuzz},
	{"bogo", "the tests of BoringSSL's BoGo that are for us", runBogo},
	{"quic", "the integration tests of quic-go, with its import of crypto/tls changed to ours", runQUIC},
	{"chains", "chains with deviations, judged by certcheck, crypto/x509, OpenSSL and GnuTLS", runChains},
	{"limbo", "the test cases of x509-limbo for chains", runLimbo},
	{"wycheproof", "the signatures of Wycheproof, as handshakes and certificates have them, and its AES-GCM", runWycheproof},
	{"scan", "servers are scanned 1,000 times each while an honest client goes on connecting", runScans},
	{"negative", "the library is broken on purpose, one rule at a time, and the tests must notice", runNegative},
}

// children are the programs that sections start as processes of their own, by
// running this binary again with a name as the first argument.
var children = map[string]func(args []string) error{
	"load-server": loadServer,
	"nats-server": natsServer,
}
