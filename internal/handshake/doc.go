// Package handshake runs the handshake: flows as tables, one file for each
// message with both directions and both roles in it, negotiation as pure
// functions, and the transcript.
//
//	driver.go       walks a table of steps for either role
//	flow12.go       the table of TLS 1.2
//	flow13.go       the table of TLS 1.3
//	profile.go      what differs by version, and the choice of the flow
//	negotiate.go    version, suite, group, scheme, protocol, certificate
//	extensions.go   one row for each extension: offer, read, answer, accept
//	ext_<name>.go   one extension
//	accept12.go     what a server decides on a ClientHello, and accept13.go
//	schedule12.go   secrets and keys, reported to the trace; schedule13.go
//	resume.go       which sessions may be resumed
//	<message>.go    one message
//
// It knows neither records nor sockets: the package that runs it implements [Records].
package handshake
