package access

import (
	"encoding/hex"
	"errors"
	"fmt"
	"sync"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/ext"
	"github.com/vitrine-tls/vitrine/wire"
)

// maxCost bounds one evaluation in CEL's own measure, about a step each: well under a
// millisecond.
const maxCost = 10_000

// Variables are what an expression of a cel rule may use, and what each is. Those of the
// certificate are empty where the client has a pre-shared key in its place. Beside CEL's
// own functions there are those on text and addresses: cidr("10.0.0.0/8").containsIP(peer).
var Variables = []struct{ Name, Type, What string }{
	{"cn", "string", "the common name; empty where there is none, or several"},
	{"ou", "list(string)", "the organizational units"},
	{"dns", "list(string)", "the DNS names that are well-formed, in lower case"},
	{"uri", "list(string)", "the URIs, as they stand in the certificate"},
	{"ip", "list(string)", "the addresses"},
	{"issuer", "string", "the common name of its issuer"},
	{"serial", "string", "the serial number in hexadecimal digits, without zeros in front"},
	{"spki", "string", "the pin of the public key, sha256/BASE64"},
	{"not_before", "timestamp", "from when the certificate holds; without one a rule that looks at it fails"},
	{"not_after", "timestamp", "until when it holds; likewise"},
	{"psk", "string", "the identity of a pre-shared key; empty for none"},
	{"peer", "string", "the address of the connection; empty for a unix socket"},
	{"server_name", "string", "the name that the client asked for"},
	{"alpn", "string", "the application protocol"},
	{"version", "string", "the version, tls1.2 or tls1.3"},
	{"resumed", "bool", "whether the connection resumes a session"},
}

var celTypes = map[string]*cel.Type{
	"string": cel.StringType, "list(string)": cel.ListType(cel.StringType), "timestamp": cel.TimestampType, "bool": cel.BoolType,
}

var environment = sync.OnceValues(func() (*cel.Env, error) {
	options := []cel.EnvOption{ext.Strings(), ext.Network(), cel.ParserRecursionLimit(50)}
	for _, v := range Variables {
		options = append(options, cel.Variable(v.Name, celTypes[v.Type]))
	}
	return cel.NewEnv(options...)
})

type expression struct{ cel.Program }

func parseCEL(text string) (rule, error) {
	env, err := environment()
	if err != nil {
		return nil, err
	}
	ast, issues := env.Compile(text)
	if err := issues.Err(); err != nil {
		return nil, err
	}
	if ast.OutputType() != cel.BoolType {
		return nil, fmt.Errorf("the expression gives %v; it must give true or false", ast.OutputType())
	}
	program, err := env.Program(ast, cel.CostLimit(maxCost))
	if err != nil {
		return nil, err
	}
	return expression{program}, nil
}

func (r expression) meets(c *client) (string, bool, error) {
	value, _, err := r.Eval(c.variables())
	if err != nil {
		return "", false, err
	}
	yes, ok := value.Value().(bool)
	if !ok {
		return "", false, errors.New("it gives no answer")
	}
	return c.best(), yes, nil
}

func (c *client) variables() map[string]any {
	n := c.read()
	values := map[string]any{
		"cn": n.cn(), "ou": n.ous, "dns": n.dns, "uri": n.uris, "psk": c.psk,
		"server_name": c.state.ServerName, "alpn": c.state.ALPN, "version": versionNames[c.state.Version], "resumed": c.state.Resumption != "none",
		"issuer": "", "serial": "", "spki": "", "peer": "",
	}
	var ips []string
	for _, ip := range n.ips {
		ips = append(ips, ip.String())
	}
	values["ip"] = ips
	if c.addr.IsValid() {
		values["peer"] = c.addr.String()
	}
	if c.leaf != nil {
		values["issuer"], values["serial"], values["spki"] = c.leaf.Issuer.CommonName, hex.EncodeToString(c.leaf.SerialNumber.Bytes()), pinOf(c.leaf)
		values["not_before"], values["not_after"] = c.leaf.NotBefore, c.leaf.NotAfter
	}
	return values
}

var versionNames = map[wire.Version]string{
	wire.SSL30: "ssl3.0", wire.TLS10: "tls1.0", wire.TLS11: "tls1.1", wire.TLS12: "tls1.2", wire.TLS13: "tls1.3",
}
