package tls

import (
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"github.com/vitrine-tls/vitrine/certcheck/revocation"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// A spoiler makes the certificate of a session unacceptable to the side that judges it.
type spoiler struct {
	name string
	// staples: it needs a version in which the judged side can staple.
	staples bool
	// set prepares the judge, and returns what spoils the certificate.
	set  func(judge *Config, root *issuer, judged *Certificate) (spoil func())
	says string // the error of a full handshake
}

var spoilers = []spoiler{
	{"it has expired", false, func(judge *Config, _ *issuer, _ *Certificate) func() {
		return clock(judge, time.Hour)
	}, "expired"},
	{"its authority is distrusted", false, func(judge *Config, root *issuer, _ *Certificate) func() {
		distrusted := false
		pool := x509.NewCertPool()
		pool.AddCertWithConstraint(root.cert, func([]*x509.Certificate) error {
			if distrusted {
				return errors.New("distrusted since")
			}
			return nil
		})
		judge.RootCAs, judge.ClientCAs, judge.VerifyAnew = pool, pool, true
		return func() { distrusted = true }
	}, "distrusted since"},
	{"a list revokes it", false, func(judge *Config, root *issuer, judged *Certificate) func() {
		judge.Revocation = &revocation.Checker{Mode: revocation.Soft}
		list := root.revokes(judged.Leaf)
		return func() { judge.Revocation.Lists = []*revocation.List{list} }
	}, "was revoked"},
	{"it is denied", false, func(judge *Config, _ *issuer, judged *Certificate) func() {
		judge.Revocation = new(revocation.Checker)
		deny := must(revocation.ParseDeny(strings.NewReader(fmt.Sprintf("spki %x", sha256.Sum256(judged.Leaf.RawSubjectPublicKeyInfo)))))
		return func() { judge.Revocation.Deny = deny }
	}, "is on the deny list"},
	{"its staple has ended", true, func(judge *Config, root *issuer, judged *Certificate) func() {
		judge.Revocation = &revocation.Checker{Mode: revocation.Hard}
		judged.OCSPStaple = root.saysAt(time.Now().Add(-23*time.Hour-50*time.Minute), ocsp.Good, judged.Leaf) // 10 minutes are left
		return clock(judge, 20*time.Minute)
	}, "out of date"},
	{"VerifyPeerCertificate refuses it", false, func(judge *Config, _ *issuer, _ *Certificate) func() {
		refused := false
		judge.VerifyPeerCertificate = func([][]byte, [][]*x509.Certificate) error {
			if refused {
				return errors.New("not today")
			}
			return nil
		}
		return func() { refused = true }
	}, "not today"},
}

// clock gives a Config a clock that is put forward.
func clock(c *Config, by time.Duration) func() {
	var ahead atomic.Int64
	c.Time = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	return func() { ahead.Store(int64(by)) }
}

// judged is a resumption in which one side judges the other.
type judged struct {
	judge          wire.Role
	client, server *Config
	spoil          func()
	shown          *atomic.Int32 // how many Certificates the judge has got
}

func newJudged(judge wire.Role, version uint16, server func(*Config), sp spoiler) *judged {
	root := newIssuer(nil)
	cert := root.issueFor(30 * time.Minute)
	other := root.issue()
	j := &judged{judge: judge, shown: new(atomic.Int32)}
	j.client = &Config{RootCAs: root.pool(), ServerName: "example.com", Certificates: []Certificate{*other}, ClientSessionCache: NewLRUClientSessionCache(4)}
	j.server = &Config{ClientAuth: RequireAndVerifyClientCert, ClientCAs: root.pool(), Certificates: []Certificate{*other}}
	j.server.Resumption.Store = session.NewMemory(1 << 20)
	at(version, j.client, j.server)
	server(j.server)
	own, peer := j.client, j.server
	if judge == wire.Server {
		own, peer = j.server, j.client
	}
	j.spoil = sp.set(own, root, cert)
	peer.Certificates = []Certificate{*cert}
	own.Trace = &trace.Hooks{Message: func(m trace.Message) {
		if m.Dir == trace.Received && m.Raw[0] == byte(wire.TypeCertificate) {
			j.shown.Add(1)
		}
	}}
	return j
}

// resumes makes a session, and sees that it is resumed as long as nothing has changed.
func (j *judged) resumes(t *testing.T) {
	t.Helper()
	for _, want := range []bool{false, true} {
		c, s := mustConnect(t, j.client, j.server)
		bringTickets(t, c, s)
		if c.ConnectionState().DidResume != want {
			t.Fatalf("resumed: %v; want %v", !want, want)
		}
	}
	j.shown.Store(0)
}

// again is the judge's error in the next handshake.
func (j *judged) again(t *testing.T) error {
	t.Helper()
	_, _, clientErr, serverErr := connect(t, j.client, j.server)
	if j.judge == wire.Server {
		return serverErr
	}
	return clientErr
}

// Each side judges the peer of a session again at its resumption, by the clock, the
// authorities, the lists, the staples and the application of now: where it would be refused,
// there is a full handshake, in which it is.
func TestAResumptionIsJudgedAgain(t *testing.T) {
	eachSpoiler(t, []wire.Role{wire.Client, wire.Server}, func(t *testing.T, j *judged, sp spoiler) {
		j.resumes(t)
		j.spoil()
		if sp.name == "VerifyPeerCertificate refuses it" && j.judge == wire.Client {
			return // it is asked once the session is resumed: the next test
		}
		if err := j.again(t); err == nil || !strings.Contains(err.Error(), sp.says) {
			t.Errorf("the judge says %v; want %q", err, sp.says)
		}
		if n := j.shown.Load(); n != 1 {
			t.Errorf("it has got %d certificates; want 1, of a full handshake", n)
		}
	})
}

// A client judges the session that it has on offer once more when the server takes it up.
func TestAResumptionIsJudgedWhenItIsTaken(t *testing.T) {
	eachSpoiler(t, []wire.Role{wire.Client}, func(t *testing.T, j *judged, sp spoiler) {
		j.resumes(t)
		j.server.GetConfigForClient = func(*ClientHelloInfo) (*Config, error) { // the offer has gone out
			j.spoil()
			return nil, nil
		}
		if err := j.again(t); err == nil || !strings.Contains(err.Error(), sp.says) {
			t.Errorf("the judge says %v; want %q", err, sp.says)
		}
		if n := j.shown.Load(); n != 0 {
			t.Errorf("it has got %d certificates; want none, in a resumption", n)
		}
	})
}

func eachSpoiler(t *testing.T, judges []wire.Role, check func(*testing.T, *judged, spoiler)) {
	ways := append(kinds[:len(kinds):len(kinds)], kinds[0], kinds[1])
	ways[len(kinds)].version, ways[len(kinds)+1].version = VersionTLS10, VersionTLS10
	for _, judge := range judges {
		for _, way := range ways {
			for _, sp := range spoilers {
				if sp.staples && judge == wire.Server && way.version != VersionTLS13 {
					continue // its client cannot staple
				}
				t.Run(fmt.Sprintf("%v judges/%s/%s/%s", judge, way.name, VersionName(way.version), sp.name), func(t *testing.T) {
					check(t, newJudged(judge, way.version, way.server, sp), sp)
				})
			}
		}
	}
}
