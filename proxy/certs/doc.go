// Package certs serves the certificates of a proxy's configuration: files in PEM and
// PKCS#12, certificates that an ACME authority issues (RFC 8555), and those of the
// development authority.
//
//	source, err := certs.Open(ctx, listener.TLS.Certificates, certs.Options{Fetcher: &fetch.Client{}})
//	...
//	go source.Run(ctx)
//	defer source.Close()
//	config := &tls.Config{GetCertificate: source.GetCertificate, GetConfigForClient: source.GetConfigForClient}
//
// Files are read again when they change, which the system tells of; beside that they are looked
// at each minute, and where it does not tell every ten seconds. A pair is taken as a whole or not at all.
//
// # Which certificate
//
// Of the certificates for the name that the client asks for, the first is taken with which it
// can do; so a name may have an ECDSA and an RSA key. A name of its own comes before a
// wildcard. Without one for the name it is the first of all with which the client can do.
// Files come before certificates of ACME in both.
//
// # ACME
//
// Certificates are obtained in the background: until the first is there, handshakes for its
// name fail if nothing else is for it. They are renewed when a third of their time is left,
// or when the authority says so (RFC 9773). What is obtained is kept in the storage folder,
// which several proxies may share. If the folder cannot be written, the certificates that are
// there serve on, and what is missing is tried again.
//
// For tls-alpn-01 the authority connects to port 443 of the name, which must lead to the
// listener. Its connections are answered by [Source.GetConfigForClient]: no client
// certificate is asked for, and nothing is meant to follow the handshake. A server must close
// a connection that agreed on [ACMEProtocol] (RFC 8737 §3). For http-01 it fetches a file
// from port 80, which must lead to http-listen.
package certs
