package text

import (
	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/explain/internal/words"
)

// costs writes what each handshake took: the time, and what each side sent and computed
// with public keys.
func (p *printer) costs(c *explain.Connection) {
	for _, hs := range c.Handshakes {
		if len(hs.Messages) == 0 {
			continue
		}
		p.event("cost", normal, "", text(strong, "%s", hs.Kind), text(faint, "  %s ms", ms(hs.Cost.US, 2)))
		p.side(client, hs.Cost.ClientBytes, hs.Cost.Operations)
		p.side(server, hs.Cost.ServerBytes, hs.Cost.Operations)
	}
}

func (p *printer) side(name string, bytes int, all []explain.Operation) {
	did := words.Size(bytes)
	for _, o := range all {
		if o.By == name {
			did = words.Join(did, o.Words())
		}
	}
	for i, l := range wrapWords(did, p.width-tagCol-nameOfRow) {
		if i > 0 {
			name = ""
		}
		p.row(name, normal, "%s", l)
	}
}
