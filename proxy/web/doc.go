// Package web is the proxy's HTTP mode: requests are read, judged, and sent on one by one, over
// HTTP/1.1 and HTTP/2 on both sides.
//
//	handler, err := web.New(web.Options{HTTP: listener.HTTP, Route: route})
//	server := &httptls.Server{HTTP: web.Server(handler), TLS: config}
//
// What a service behind reads about the client is the proxy's own word. X-Forwarded-For, -Host,
// -Proto and -Port are replaced, and every other X-Forwarded header, X-Real-Ip and Forwarded are
// removed, unless the request comes from a network that is trusted: then they are added to.
// Client-Cert and Client-Cert-Chain (RFC 9440) are always removed, and set from the certificate
// that the handshake has verified. Spellings with an underscore count as the same header, since
// many services take them for it.
//
// A connection for one name may carry requests for another (HTTP/2 coalesces them). Where the
// two names' rules differ, the answer is 421, and a browser makes a connection of its own.
//
// Framing is net/http's: a request with a length that cannot be believed is refused, and what
// is sent on is framed anew, so the service behind sees the same end of each request. A request
// to turn to HTTP/2 in the clear (Upgrade: h2c) is not passed on, since it would open a tunnel
// past all rules. Other upgrades, such as WebSocket, are.
//
// A request goes to another address of the target where the first did not answer, if nothing
// was sent yet, or if it is safe to repeat: an idempotent method without a body.
package web
