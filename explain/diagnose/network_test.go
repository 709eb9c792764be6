package diagnose_test

import (
	"errors"
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/explain/diagnose"
	"github.com/vitrine-tls/vitrine/starttls"
)

// Where no connection came about there is no account, and the error of the network decides;
// of a saved account its words do.
func TestWhatTheNetworkSays(t *testing.T) {
	for _, c := range networkErrors {
		if v := diagnose.Account(nil, diagnose.Also{Err: c.err}); v.Cause != c.want {
			t.Errorf("%v: it says %s, want %s", c.err, v.Cause, c.want)
		}
		var collector explain.Collector
		saved := collector.Connection(explain.About{Err: errors.New(c.words)})
		if v := diagnose.Account(saved, diagnose.Also{}); v.Cause != c.want {
			t.Errorf("%q: it says %s, want %s", c.words, v.Cause, c.want)
		}
	}
}

func dial(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }

// networkErrors are what an attempt to connect ends with.
var networkErrors = []struct {
	err   error
	words string // of the command, for the same
	want  string
}{
	{dial(&net.DNSError{Err: "no such host", IsNotFound: true}), "there is no host of the name a.test", "no-such-name"},
	{dial(&net.DNSError{Err: "i/o timeout", IsTimeout: true}), "the name a.test could not be looked up: this machine's DNS server does not answer", "dns"},
	{dial(os.NewSyscallError("connect", syscall.ECONNREFUSED)), "192.0.2.1:443 refused the connection", "port-closed"},
	{dial(os.NewSyscallError("connect", syscall.ENETUNREACH)), "no network leads to 192.0.2.1:443 from here", "unreachable"},
	{dial(os.ErrDeadlineExceeded), "no answer came in time", "silence"},
	{&diagnose.ProxyError{Proxy: "192.0.2.1:8", Err: syscall.ECONNREFUSED}, "the proxy 192.0.2.1:8 cannot be reached: 192.0.2.1:8 refused the connection", "proxy-closed"},
	{&diagnose.ProxyError{Proxy: "192.0.2.1:8", Reached: true, Err: errors.New("502")}, "the proxy 192.0.2.1:8 does not lead to the server: 502", "proxy-refused"},
	{dial(&net.AddrError{Err: "no suitable address", Addr: "a.test"}), "a.test has no address of the kind that was asked for: -4 and -6 choose it", "no-such-family"},
	{&starttls.Error{Protocol: "smtp", Kind: starttls.NotOffered, Why: "the server does not offer STARTTLS"}, "starttls smtp: the server does not offer STARTTLS", "starttls-not-offered"},
	{&starttls.Error{Protocol: "smtp", Kind: starttls.Refused, Why: "the server refuses"}, "starttls smtp: the server refuses", "starttls-refused"},
	{&starttls.Error{Protocol: "smtp", Kind: starttls.Injected, Why: "TLS does not begin", Err: starttls.ErrInjected}, "starttls smtp: TLS does not begin: " + starttls.ErrInjected.Error(), "starttls-injected"},
}
