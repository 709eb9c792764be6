package tls

import (
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// traceMessages calls f for each handshake message, sent or received.
func traceMessages(f func(wire.Message)) *trace.Hooks {
	return &trace.Hooks{Message: func(e trace.Message) {
		m, err := wire.DecodeMessage(e.Raw, e.Context, nil)
		if err != nil {
			panic(err)
		}
		f(m)
	}}
}
