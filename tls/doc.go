// Package tls speaks SSL 3.0 to TLS 1.3 over any net.Conn, on both sides. A
// Config that says nothing else gets TLS 1.2 and 1.3.
//
// It has the shape of crypto/tls: change the import path and a program
// compiles. Value types (Certificate, ConnectionState, ClientHelloInfo and so
// on) are aliases of crypto/tls's, so that other packages take them; Config,
// Conn and what belongs to them are this package's own. [FromStd] and [ToStd] convert from and to a
// *crypto/tls.Config.
//
// What crypto/tls does not have stands in small sub-structs of [Config]:
// session IDs in a store (Resumption), pre-shared keys (PSK), finite-field
// Diffie-Hellman (DHE), handshakes inside the connection (Renegotiate), the
// record layer (Record), what is switched off for safety (Legacy), and hooks that
// show every record, message, secret and decision (Trace). [Conn.State] tells more about a
// connection, [Conn.KeyUpdate] renews its keys, [Conn.ChannelBinding] binds
// other protocols to it.
//
// # With net/http
//
// net/http knows TLS by crypto/tls's own types. Package httptls plugs this package into
// net/http, for HTTP/1.1 and HTTP/2:
//
//	http.Serve(tls.Listen("tcp", addr, config))        httptls.ListenAndServe(addr, handler, config)
//	http.Server.TLSConfig                              httptls.Server.TLS
//	http.Transport.TLSClientConfig, .DialTLSContext    httptls.Transport.TLS
//
// A listener of this package serves HTTP/1.1 with http.Serve as long as NextProtos
// does not offer h2. If it does and both sides agree on it, the first Write of HTTP/1
// fails, and its error says so.
//
// # Old versions and suites
//
// TLS 1.0 and 1.1 need MinVersion. SSL 3.0, and each mechanism that is known to
// be broken, needs its switch in [Legacy] as well; SECURITY.md says what each
// opens. A cipher suite is used if CipherSuites lists it and its switches are
// set; else the handshake fails, and names the switch.
//
// # Handshakes inside a connection
//
// Up to TLS 1.2 either side may start another handshake, [Conn.Renegotiate], if
// the other allows it. [Conn.RequestClientCertificate] asks a client for its identity
// once that matters, in any version. Data may be read and written meanwhile;
// nothing is lost. Both are off until the peer's Config says otherwise.
//
// A few fields mean something else than in crypto/tls, where that would be a
// danger or a setting would be ignored; each says so, and
// docs/adr/0008-where-we-differ-from-crypto-tls.md lists them. docs/migrating.md
// shows how to swap the import, and which programs were tried.
//
// # Errors
//
// A handshake or connection that fails returns a [*HandshakeError]: which alert
// ended it and which side sent it, the rule and its RFC section, what each side
// offered, and what to do. Where crypto/tls has a type for the same, that type is the
// outermost, and its words come first: a peer's alert is a *net.OpError with the Op
// "remote error", an alert of ours after the handshake one with "local error", a chain
// that did not verify a *[CertificateVerificationError], what is not TLS a
// [RecordHeaderError]. The others are found by errors.As: HandshakeError, AlertError,
// x509.HostnameError and so on.
//
// A stream that ends without close_notify ends with [ErrUnexpectedEOF], never
// with io.EOF: an attacker may have cut it. Legacy.UnannouncedEnd is for peers that
// never send one, like servers of HTTP/1.0 whose bodies run to the end.
//
// # Concurrency
//
// A Config may serve any number of connections at once, must not be changed
// after its first use, and is read once for each connection. The methods of a
// Conn may be called at the same time; Read and Write do not wait for each
// other.
package tls
