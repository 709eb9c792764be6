// Package vitrine is the root of the module and holds no code.
//
// vitrine speaks SSL/TLS on both sides, and can show and explain every byte of
// a connection by the same code that runs it. Its packages, from the top down;
// imports go downward only, which arch_test.go checks:
//
//	cmd/vitrine         the command
//	explain             a traced connection told to people, as text or JSON
//	httptls             net/http on tls, HTTP/1.1 and HTTP/2
//	tls                 the public face, shaped like crypto/tls
//	internal/engine     one connection without I/O
//	internal/handshake  flows as tables, version profiles, negotiation
//	internal/record     records: their framing and their protection
//	internal/keys       key schedules
//	internal/kex        key exchanges
//	internal/suite      cipher suites as rows of parts
//	certcheck           chains, names and dates of certificates
//	session             resumable sessions, stores and ticket keys
//	trace               the hooks through which a connection is seen
//	wire                every codec and every IANA number
//
// Beside them stand internal/devca, a development CA; interop, tests against
// real peers; and bench, measurements beside other TLS stacks.
package vitrine
