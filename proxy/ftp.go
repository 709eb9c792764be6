package proxy

import (
	"context"
	"net/netip"

	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/starttls/front"
	"github.com/vitrine-tls/vitrine/tls"
)

// What config.Listener.StartTLS says for FTP. TLS comes first in the latter.
const (
	explicitFTP = "ftp"
	implicitFTP = "ftps"
)

// spoken is the protocol that the listener speaks before TLS, so that the target's greeting is
// not for the client; empty for none.
func (d *door) spoken() string {
	if d.config.StartTLS == implicitFTP {
		return ""
	}
	return d.config.StartTLS
}

// ownTLS is the configuration for the client's handshake. That of FTP is the client's own, since
// its data connections resume what the control connection began.
func (l *link) ownTLS() *tls.Config {
	protocol := l.door.config.StartTLS
	if protocol != explicitFTP && protocol != implicitFTP {
		return l.door.tls
	}
	c := l.door.config.FTP
	if c == nil {
		c = new(config.FTP)
	}
	address, _ := netip.ParseAddr(c.Address) // invalid where there is none
	l.ftp = front.NewFTP(front.FTPOptions{
		TLS: l.door.tls, Implicit: protocol == implicitFTP, Address: address, FirstPort: uint16(c.FirstPort), LastPort: uint16(c.LastPort),
		ClearData: c.ClearData, AnySession: c.AnySession, Moved: l.moved,
	})
	return l.ftp.Config()
}

// moved counts what went over connections of FTP.
func (l *link) moved(received, sent int) {
	l.received.Add(int64(received))
	l.sent.Add(int64(sent))
	l.noteActivity()
}

// relayFTP passes on commands, answers and data, and ends the link.
func (l *link) relayFTP() {
	l.client.SetDeadline(noDeadline)
	l.server.SetDeadline(noDeadline)
	l.watchIdle()
	l.end(l.ftp.Relay(context.Background(), l.client, l.server)) // what aborts the link ends it
}
