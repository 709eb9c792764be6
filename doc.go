// Package vitrine is the root of the module and holds no code.
//
// vitrine speaks SSL 3.0 to TLS 1.3 on both sides, and can show and explain every
// byte of a connection by the same code that runs it. Its public packages:
//
//	tls                             connections, in the shape of crypto/tls
//	httptls                         HTTP/1.1 and HTTP/2 on net/http, both sides
//	explain                         a full report of one connection, recomputed independently
//	explain/text, explain/page      write that report for a terminal, and for a browser
//	explain/pcapng, explain/diff    write the connection as a capture; compare two connections
//	explain/diagnose                says why a connection failed
//	capture                         reads TLS connections from pcap and pcapng
//	fingerprint                     JA3 and JA4 of a ClientHello
//	scan                            asks a server all that it speaks, and says what is wrong
//	scan/policy                     compares a scan with a policy, and with an earlier scan
//	scan/fix, scan/page             write the change for a server; write a scan as a page
//	proxy                           passes connections on, with or without TLS on either side
//	certcheck                       decides whether a chain is good, by rules in three profiles
//	certcheck/revocation            checks OCSP responses and CRLs
//	certcheck/fetch                 fetches them
//	certcompress                    compresses certificates (RFC 8879)
//	certstore                       a server's certificates: reread, chosen, stapled
//	starttls                        asks a server to turn to TLS
//	session                         what a server keeps of sessions: stores, ticket keys
//	trace, tracefile                the events that a connection reports, and files of them
//	wire                            parses and builds the messages of every version
//
// cmd/vitrine is the command. ARCHITECTURE.md shows the way through the code;
// interop tests it against real peers, and bench measures it beside other stacks.
package vitrine
