// Package proxy puts TLS in front of a service, or takes it off.
//
//	p, err := proxy.New(cfg, proxy.Options{})
//	err = p.Run(ctx)
//
// A [config.Config] says what it listens on and where connections go. [New] checks all of it,
// and opens what it needs; if anything is wrong, nothing is left open. [Proxy.Run] serves
// until its context ends or [Proxy.Shutdown] is called. [Proxy.Reload] takes another
// configuration: what is wrong is refused as a whole, and the old one goes on.
//
// # The life of a connection
//
// A limit may turn a connection away before anything is read from it. From named networks a
// header of the PROXY protocol is read first. Where a route needs it, the ClientHello is
// looked at and left where it is. Then TLS is ended here, or the connection is passed on
// unopened. The client's identity is judged after each handshake, a resumed one too. Only
// then is a target reached for. If one of its addresses does not answer, the next is tried.
//
// Each side may end its direction while the other goes on: a close_notify becomes a FIN, and
// a FIN a close_notify. A connection that is cut off is passed on as a reset, never as an
// orderly end, so that nobody takes a part for the whole.
package proxy
