package connect

import (
	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/explain/diagnose"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// accountBudget is how many bytes of a handshake are kept, to say why it failed.
const accountBudget = 256 << 10

// account has hooks keep what a diagnosis looks at, for each connection anew: all but
// application data.
func (o *observed) account(hooks *trace.Hooks) {
	seen := *hooks
	hooks.Connection = func() *trace.Hooks {
		collector := &explain.Collector{Budget: accountBudget}
		o.collector.Store(collector)
		kept, one := collector.Hooks(), seen
		one.Message = func(m trace.Message) { seen.Message(m); kept.Message(m) }
		one.Choice = func(c trace.Choice) { seen.Choice(c); kept.Choice(c) }
		one.Alert = kept.Alert
		one.Record = func(r trace.Record) {
			if r.Err != nil || r.Type != wire.ContentApplicationData {
				kept.Record(r)
			}
		}
		return &one
	}
}

// diagnose says why the connection failed, from what was seen of it.
func (o *options) diagnose(err error) *diagnose.Verdict {
	var account *explain.Connection
	if collector := o.seen.collector.Load(); collector != nil {
		account = collector.Connection(explain.About{Err: err, Verdict: o.verdict})
	}
	return diagnose.Account(account, diagnose.Also{Err: err})
}
