// Package observe shows a proxy to its operators: metrics for Prometheus, answers to health
// checks, a log in plain words, spans for OpenTelemetry, and traces of some handshakes that
// vitrine explain reads.
//
//	seen, err := observe.New(c.Admin, c.Log, c.Traces, os.Stderr)
//	...
//	defer seen.Close()
//	hooks := seen.Hooks()       // all that the proxy tells goes here
//	seen.Trace(tlsConfig)       // handshakes with this Config may be traced
//	seen.Configured(c)          // at the start and after each reload
//	go seen.Serve(ctx)          // /metrics, /healthz, /readyz
//	seen.SetReady(true)         // the listeners are open
//
// Nothing here holds a connection up. A log, a disk or a collector that hangs loses what is
// told, which is counted. Nothing that a peer can choose grows without a bound: no name and
// no address of a peer is the label of a metric, the log counts what repeats itself, and the
// folder of traces has a size.
package observe
