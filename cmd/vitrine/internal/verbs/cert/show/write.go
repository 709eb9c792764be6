package show

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/certs"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/terminal"
)

// page is what is being written.
type page struct {
	strings.Builder
	terminal.Palette
	now time.Time
}

// write writes a paragraph for each item. Everything that a stranger chose is quoted.
func (s *Shown) write(w io.Writer, now time.Time) error {
	b := &page{Palette: terminal.PaletteFor(w), now: now}
	fmt.Fprintln(b, terminal.Printable(s.Target))
	for n, item := range s.Items {
		fmt.Fprintf(b, "\n%s %s\n", b.Bold(fmt.Sprintf("%d. %s", n+1, item.Kind)), b.Faint("("+item.Form+")"))
		item.write(b)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (i *Item) write(b *page) {
	switch {
	case i.Certificate.SHA256 != "":
		b.certificate(i.Certificate)
	case i.Request.Key != "":
		b.request(i.Request)
	case i.List.SignedWith != "":
		b.list(i.List)
	case i.Response.Status != "":
		b.response(i.Response)
	default:
		b.key(i.PrivateKey)
	}
	for _, f := range i.Lint {
		paint := b.Faint
		if f.isError() {
			paint = b.Bad
		}
		b.paint(paint, "zlint", f.String())
	}
}

func (b *page) paint(paint func(string) string, name, value string) {
	fmt.Fprintf(b, "   %s %s\n", paint(fmt.Sprintf("%-12s", name)), terminal.Wrap(value, 16, 16))
}

// row is a line; an empty value has none.
func (b *page) row(name, value string) {
	if value != "" {
		b.paint(b.Faint, name, value)
	}
}

func (b *page) certificate(c certs.Certificate) {
	if c.Unreadable != "" {
		b.paint(b.Bad, "unreadable", "crypto/x509 refuses it: "+terminal.Printable(strings.TrimPrefix(c.Unreadable, "x509: ")))
	}
	b.row("subject", fmt.Sprintf("%q", c.Subject))
	issuer := fmt.Sprintf("%q", c.Issuer)
	if c.SelfIssued {
		issuer = "itself"
	}
	b.row("issuer", issuer)
	b.row("names", quoteList(c.Names))
	b.row("valid", b.validity(c))
	if c.Authority {
		level := "others may be below it without a limit"
		if c.PathLength != "" {
			level = "authorities below it: " + c.PathLength + " levels at most"
		}
		b.row("authority", "yes, "+level)
	}
	b.row("key", c.Key)
	b.row("for", strings.Join(append(c.Purposes, c.KeyUsage...), ", "))
	b.row("signed with", c.SignedWith)
	b.row("serial", c.Serial)
	b.row("OCSP", quoteList(c.OCSP))
	b.row("CRL", quoteList(c.CRL))
	b.row("issuer at", quoteList(c.IssuerAt))
	if c.MustStaple {
		b.row("must staple", "its server has to send an OCSP response with it (RFC 7633)")
	}
	b.row("SHA-256", c.SHA256)
	b.row("key SHA-256", c.Pin)
}

func (b *page) validity(c certs.Certificate) string {
	s := c.NotBefore.UTC().Format(time.DateTime) + " to " + c.NotAfter.UTC().Format(time.DateTime) + " UTC, "
	switch {
	case b.now.Before(c.NotBefore):
		return s + b.Bad("not yet")
	case b.now.After(c.NotAfter):
		return s + b.Bad("expired "+certs.Ago(c.DaysLeft))
	}
	return s + b.Good(fmt.Sprintf("%d days left", c.DaysLeft))
}

func (b *page) key(k PrivateKey) {
	b.row("key", k.Key)
	switch {
	case k.Key == "":
		b.row("encrypted", k.Encryption+"; give its password with --password-file FILE to see which it is")
	case k.Encryption != "":
		b.row("encrypted", k.Encryption)
	default:
		b.row("encrypted", "no")
	}
	b.row("key SHA-256", k.Pin)
	if k.Fits > 0 {
		b.row("fits", fmt.Sprintf("certificate %d", k.Fits))
	}
}

func (b *page) request(r Request) {
	b.row("subject", fmt.Sprintf("%q", r.Subject))
	b.row("names", quoteList(r.Names))
	b.row("key", r.Key)
	b.row("signed with", r.SignedWith)
	if r.Proven {
		b.row("proof", b.Good("the sender has the key"))
	} else {
		b.row("proof", b.Bad("the signature is wrong: the sender may not have the key"))
	}
}

func (b *page) list(l List) {
	b.row("issuer", fmt.Sprintf("%q", l.Issuer))
	b.row("number", l.Number)
	b.row("holds", b.holds(l.ThisUpdate, l.NextUpdate))
	b.row("signed with", l.SignedWith)
	b.row("entries", fmt.Sprint(l.Entries))
	for _, e := range l.Revoked {
		b.row("revoked", fmt.Sprintf("%s on %s: %s", e.Serial, e.RevokedAt.UTC().Format(time.DateOnly), e.Reason))
	}
	if more := l.Entries - len(l.Revoked); more > 0 {
		b.row("", fmt.Sprintf("and %d more", more))
	}
}

func (b *page) response(r Response) {
	status := b.Good(r.Status)
	if r.Status != "good" {
		status = b.Bad(r.Status)
	}
	if r.Reason != "" {
		status += fmt.Sprintf(" on %s: %s", r.RevokedAt.UTC().Format(time.DateOnly), r.Reason)
	}
	b.row("status", status)
	b.row("serial", r.Serial)
	b.row("holds", b.holds(r.ThisUpdate, r.NextUpdate))
	b.row("signed", r.ProducedAt.UTC().Format(time.DateTime)+" UTC with "+r.SignedWith)
}

// holds says from when to when an answer counts.
func (b *page) holds(from, to time.Time) string {
	s := from.UTC().Format(time.DateTime) + " to "
	switch {
	case to.IsZero():
		return s + "an unknown time"
	case b.now.After(to):
		return s + to.UTC().Format(time.DateTime) + " UTC, " + b.Bad("out of date")
	}
	return s + to.UTC().Format(time.DateTime) + " UTC"
}

func quoteList(names []string) string {
	var quoted []string
	for _, name := range names {
		quoted = append(quoted, fmt.Sprintf("%q", name))
	}
	return strings.Join(quoted, ", ")
}
