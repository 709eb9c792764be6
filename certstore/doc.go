// Package certstore keeps a server's certificates. It reads them from files, and again
// when those change. It picks one for each client, by the name that it asks for and the
// signatures that it knows, and staples OCSP responses.
//
//	store, err := certstore.Open([]certstore.Pair{{Cert: "fullchain.pem", Key: "key.pem"}}, certstore.Options{})
//	...
//	go store.Run(ctx)
//	config := &tls.Config{GetCertificate: store.GetCertificate}
//
// A change of files reaches the next handshake; connections that are there go on. A pair
// is taken as a whole or not at all: where a certificate is new and its key still the old
// one, the old pair serves on.
package certstore
