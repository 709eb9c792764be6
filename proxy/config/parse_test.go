package config_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/proxy/config"
)

func mustParse(t testing.TB, text string) *config.Config {
	t.Helper()
	c, err := config.Parse([]byte(text), "proxy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// What is written is read as the same, for a configuration that has every key.
func TestWhatIsWrittenIsRead(t *testing.T) {
	whole, err := os.ReadFile("testdata/whole.yaml")
	if err != nil {
		t.Fatal(err)
	}
	c := mustParse(t, string(whole))
	if problems := config.Check(c); len(problems) != 1 || problems[0].Path != "targets.lax.tls.insecure" || problems.Err() != nil {
		t.Errorf("it is not good, but for one warning:\n%v", problems)
	}
	first, err := config.Write(c)
	if err != nil {
		t.Fatal(err)
	}
	second, err := config.Write(mustParse(t, string(first)))
	if err != nil || !bytes.Equal(first, second) {
		t.Errorf("%v; it was\n%s, and became\n%s", err, first, second)
	}
	if missing := missing(t, string(first)); len(missing) > 0 {
		t.Errorf("testdata/whole.yaml has no %v", missing)
	}
	if *c.Listeners[1].HTTP.KeepHost || c.Limits.IdleTimeout.Or(0) != 5*time.Minute {
		t.Errorf("%+v", c)
	}
}

// An alias stands for what it names, and << for keys that are not there.
func TestAliases(t *testing.T) {
	c := mustParse(t, `
listeners:
  - &first
    listen: [":443"]
    tls: &tls {min: tls1.3, psk-file: keys}
    target: web
  - <<: *first
    listen: [":8443"]
    tls: {<<: [*tls], min: tls1.2}
targets:
  web: {addresses: ["127.0.0.1:80"]}
`)
	if l := c.Listeners[1]; l.Listen[0] != ":8443" || l.Target != "web" || l.TLS.Min != "tls1.2" || l.TLS.PSKFile != "keys" {
		t.Errorf("%+v", l)
	}
	if c.Listeners[0].TLS.Min != "tls1.3" {
		t.Error("what was merged was changed")
	}
}

// A small file that amounts to a large one is refused, and soon.
func TestAliasesAreBounded(t *testing.T) {
	many := func(s string) string { return strings.Repeat(s+",", 500) }
	file := fmt.Sprintf("listeners: [&l {listen: [%s], routes: [&r {names: &n [%s]},%s]},%s]", many(`"x"`), many("x"), many("*r"), many("*l"))
	for name, file := range map[string]string{
		"values":          file,
		"merges":          "a: &a {<<: [" + many("*b") + "]}",
		"cycle":           "listeners: &l\n  - <<: {<<: *l}\n",
		"deep":            strings.Repeat("[", 5000) + strings.Repeat("]", 5000),
		"long":            "# " + strings.Repeat("x", 1<<20),
		"merge of itself": "&all\n<<: *all\n",
	} {
		_, err := config.Parse([]byte(file), "proxy.yaml")
		if problems, ok := errors.AsType[config.Problems](err); !ok || len(problems) > 20 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := config.Parse([]byte(file), "proxy.yaml"); !strings.Contains(err.Error(), "use fewer aliases") {
		t.Error(err)
	}
}

// Keys that are named need no authority; one rule of another kind does.
func TestPinsNeedNoAuthority(t *testing.T) {
	const text = "listeners: [{listen: [':443'], tls: {certificates: [{cert: a.pem}], client-auth: require}, allow: ['spki:sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA='], target: web}]\ntargets: {web: {addresses: ['a:1']}}\n"
	if problems := config.Check(mustParse(t, text)); problems != nil {
		t.Error(problems)
	}
	for _, worse := range []string{
		strings.Replace(text, "='],", "=', 'cn:x'],", 1),
		strings.Replace(text, "target: web}]", "target: web, routes: [{names: [a.b], allow: [all], target: web}]}]", 1),
	} {
		if config.Check(mustParse(t, worse)).Err() == nil {
			t.Errorf("nobody is asked by whom its certificate is: %s", worse)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"listeners: [{listen: [':443'], target: web}]\ntargets: {web: {addresses: ['a:1']}}", "<<: [*a]", "&a {<<: *a}", "limits: {memory: 1GiB, idle-timeout: 5}", "traces: {sample: .nan}"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := config.Parse(data, "proxy.yaml")
		if err != nil {
			return
		}
		config.Check(c)
		first, err := config.Write(c)
		if err != nil {
			t.Fatal(err)
		}
		again, err := config.Parse(first, "proxy.yaml")
		if err != nil {
			t.Fatalf("%v in\n%s", err, first)
		}
		if second, _ := config.Write(again); !bytes.Equal(first, second) {
			t.Errorf("%s became %s", first, second)
		}
	})
}
