package interop

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/vitrine-tls/vitrine/wire"
)

// node is Node's tls module, which is OpenSSL used as a library.
var node = &peer{
	Name: "node", Programs: []string{"node"}, Package: "nodejs",
	Connect: nodeConnect, Serve: nodeServe,
	ServerLacks: map[string]string{
		"*MLKEM*":          noMLKEM,
		"keyupdate:theirs": noKeyUpdate,
	},
	ClientLacks: map[string]string{
		"*MLKEM*":          noMLKEM,
		"keyupdate:theirs": noKeyUpdate,
	},
}

//go:embed testdata/peer.js
var nodeScript []byte

// nodeStart runs the script with what both roles need and more.
func nodeStart(r *run, groups []wire.NamedGroup, key keyType, more map[string]any) (*proc, error) {
	script := filepath.Join(r.dir, "peer.js")
	if err := os.WriteFile(script, nodeScript, 0o600); err != nil {
		return nil, err
	}
	settings := map[string]any{
		"version": map[wire.Version]string{wire.TLS12: "TLSv1.2", wire.TLS13: "TLSv1.3"}[r.Version],
		"ciphers": opensslSuite(r.Suite), "groups": strings.Join(mapped(groups, opensslGroups), ":"),
		"ca": r.pki.caFile(), "sigalgs": nodeSigalgs(r), "noTicket": r.Resume == "id",
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
	arg, err := json.Marshal(settings)
	if err != nil {
		return nil, err
	}
	return r.start("node", script, string(arg))
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
	p, err := nodeStart(r, r.groups(), r.Key, map[string]any{"serve": true, "auth": r.Auth})
	if err != nil {
		return nil, err
	}
	found, err := p.await(r.ctx, nodePort)
	if err != nil {
		return nil, err
	}
	port, _ := strconv.Atoi(found[1])
	return &server{port: port, talk: r.talkEcho, facts: func() ([]facts, error) {
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
		f := facts{"version": map[string]string{"TLSv1.2": wire.TLS12.String(), "TLSv1.3": wire.TLS13.String()}[o.Version],
			"suite": o.Suite, "reused": yes(o.Reused), "alpn": o.ALPN}
		if server {
			f["client certificate"] = yes(o.Peer)
			if !o.Reused { // Node forgets the name of a resumed connection
				f["sni"] = o.SNI
			}
		} else if o.Group != "" {
			f["group"] = map[string]string{"X25519": "x25519", "prime256v1": "secp256r1"}[o.Group]
			if f["group"] == "" {
				f["group"] = o.Group
			}
		}
		list = append(list, f)
	}
	return list, nil
}
