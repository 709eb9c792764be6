package interop

import (
	_ "embed" // testdata/peer.js
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// node is Node's tls module, which is OpenSSL used as a library.
var node = &peer{
	Name: "node", Programs: []string{"node"}, Package: "nodejs",
	Connect: nodeConnect, Serve: nodeServe, suites: nodeList, sample: true,
	ServerLacks: map[string]string{
		"*MLKEM*": noMLKEM, "ssl3.0": "Node has no SSL 3.0", "unsafe": alwaysSecure,
		"keyupdate:theirs": noKeyUpdate, "tls1.3+later:*": noLater,
		"size-limit:*": "OpenSSL has no record_size_limit",
	},
	ClientLacks: map[string]string{
		"*MLKEM*": noMLKEM, "ssl3.0": "Node has no SSL 3.0", "unsafe": alwaysSecure,
		"keyupdate:theirs": noKeyUpdate, "tls1.3+later:*": noLater, "*_anon_*": "Node demands a certificate",
		"max-fragment:*": "Node cannot ask for shorter records", "size-limit:*": "OpenSSL has no record_size_limit",
	},
}

// nodeList asks Node which suites it has, which it does not say the versions of.
var nodeList = sync.OnceValue(func() map[wire.CipherSuite]wire.Version {
	out, _ := exec.Command("node", "-p", "tls.getCiphers().join(' ')").Output()
	list := map[wire.CipherSuite]wire.Version{}
	for _, name := range strings.Fields(string(out)) {
		if s := suite.ByName(name); s != nil {
			list[s.ID] = s.Min
		}
	}
	return list
})

// nodeHost runs the script for all cells. Node takes longer to start than a cell does.
var nodeHost = host{name: "node", script: nodeScript}

//go:embed testdata/peer.js
var nodeScript string

// nodeStart begins the cell with what both roles need and more.
func nodeStart(r *run, groups []wire.NamedGroup, key keyType, more map[string]any) (*proc, error) {
	settings := map[string]any{
		"version": map[wire.Version]string{wire.TLS10: "TLSv1", wire.TLS11: "TLSv1.1", wire.TLS12: "TLSv1.2", wire.TLS13: "TLSv1.3"}[r.Version],
		"ciphers": opensslSuite(r.Suite), "groups": strings.Join(mapped(groups, opensslGroups), ":"),
		"ca": r.pki.caFile(), "sigalgs": nodeSigalgs(r), "noTicket": r.Resume == "id",
		"renegotiate": r.Renegotiate == "theirs", "later": r.Auth == "later",
	}
	if r.Version != wire.TLS13 {
		settings["ciphers"] = opensslSuite(r.Suite) + ":@SECLEVEL=0"
	}
	if r.kx().PSK() {
		settings["identity"], settings["psk"] = pskIdentity, pskKey
	}
	if r.Hint {
		settings["hint"] = pskHint
	}
	if key != "" {
		settings["key"], settings["cert"] = r.pki.keyFile(key), r.pki.certFile(key)
	}
	if r.ALPN {
		settings["alpn"] = alpn
	}
	for name, v := range more {
		settings[name] = v
	}
	p, err := nodeHost.begin(r.ctx, settings)
	if err == nil {
		r.procs = append(r.procs, p)
	}
	return p, err
}

// nodeSigalgs is the one list that Node has for both sides' keys.
func nodeSigalgs(r *run) string {
	if r.Key == keyPKCS1 || r.Key == keyPSS {
		return opensslSigalgs(r.Key)
	}
	return opensslSigalgs(r.ClientKey)
}

var nodePort = regexp.MustCompile(`\{"port":(\d+)\}`)

func nodeServe(r *run) (*server, error) {
	more := map[string]any{"serve": true, "auth": r.Auth}
	if r.dhSize() != 0 {
		more["dhparam"] = r.pki.dhFile(cell{Group: r.Group, DH: r.DH})
	}
	p, err := nodeStart(r, r.groups(), r.Key, more)
	if err != nil {
		return nil, err
	}
	found, err := p.await(r.ctx, nodePort)
	if err != nil {
		return nil, err
	}
	port, _ := strconv.Atoi(found[1])
	// It handshakes again once it has data, by itself, but that may be late.
	return &server{port: port, talk: r.talkEcho, trigger: func(*conn) error { return nil }, facts: func() ([]facts, error) {
		if err := p.awaitCount(r.ctx, `"version"`, r.connections()); err != nil {
			return nil, err
		}
		return nodeFacts(p.text(), true)
	}}, nil
}

func nodeConnect(r *run, port int) ([]facts, error) {
	payload := filepath.Join(r.dir, "payload")
	if err := os.WriteFile(payload, r.payload, 0o600); err != nil {
		return nil, err
	}
	p, err := nodeStart(r, r.clientGroups(), r.ClientKey, map[string]any{
		"connections": r.connections(), "rounds": r.rounds(), "port": port, "name": serverName, "payload": payload})
	if err != nil {
		return nil, err
	}
	if err := p.wait(r.ctx); err != nil {
		return nil, err
	}
	return nodeFacts(p.text(), false)
}

// nodeFacts reads the script's lines of JSON.
func nodeFacts(text string, server bool) (list []facts, err error) {
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, `{"version"`) {
			continue
		}
		var o struct {
			Version, Suite, ALPN, SNI, Group string
			Reused, Peer, Authorized         bool
		}
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			return nil, fmt.Errorf("node printed %q: %w", line, err)
		}
		f := facts{"version": opensslVersions[o.Version].String(), "suite": o.Suite, "reused": yes(o.Reused), "alpn": o.ALPN}
		if server {
			f["client certificate"] = yes(o.Peer)
			if !o.Reused { // Node forgets the name of a resumed connection
				f["sni"] = o.SNI
			}
		} else if o.Group != "" {
			f["group"] = map[string]string{"X25519": "x25519", "X448": "x448", "prime256v1": "secp256r1"}[o.Group]
			if f["group"] == "" {
				f["group"] = o.Group
			}
		}
		list = append(list, f)
	}
	return list, nil
}
