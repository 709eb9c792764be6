package fix

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/proof/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// Every file can be read to its end, and every entry has lines and a source.
func TestFilesAreWhole(t *testing.T) {
	entries, err := files.ReadDir("data")
	if err != nil {
		t.Fatal(err)
	}
	fresh := &table{fixes: map[[2]string]Fix{}}
	fresh.readSoftware(text("software.txt"))
	if len(fresh.software) < 15 {
		t.Fatalf("software.txt has %d programs", len(fresh.software))
	}
	for _, e := range entries {
		if e.Name() == "software.txt" {
			continue
		}
		id := strings.TrimSuffix(e.Name(), ".txt")
		if err := fresh.readSetting(id, text(e.Name())); err != nil {
			t.Error(err)
		}
		if strings.Count(text(e.Name()), "\n\n") > 0 || !strings.HasSuffix(text(e.Name()), "\n") {
			t.Errorf("%s has an empty line, or no line feed at its end", e.Name())
		}
	}
	for _, f := range fresh.fixes {
		u, err := url.Parse(f.URL)
		if err != nil || u.Scheme != "https" || u.Host == "" {
			t.Errorf("%s in %s: %q is no source", f.Setting, f.Software, f.URL)
		}
		if f.Lines == "" || strings.TrimSpace(f.Lines) != f.Lines && !strings.Contains(f.Lines, "\n") {
			t.Errorf("%s in %s has no lines", f.Setting, f.Software)
		}
	}
	for _, s := range fresh.settings {
		if s.Is == "" || strings.HasSuffix(s.Is, ".") || len(Known(s.ID)) == 0 {
			t.Errorf("%s: %q is no clause, or no program has it", s.ID, s.Is)
		}
	}
}

// A line of a program that nobody knows is an error, and costs nothing else.
func TestAnUnknownProgramIsRefused(t *testing.T) {
	fresh := &table{fixes: map[[2]string]Fix{}, software: []Software{{ID: "nginx", base: "https://nginx.org/"}}}
	if err := fresh.readSetting("x", "what it is\nnginx a\n\tone;\n\ttwo;\nnobody\n\tthree;\n"); err == nil {
		t.Error("a program that is not in software.txt was accepted")
	}
	if f := fresh.fixes[[2]string{"x", "nginx"}]; f.Lines != "one;\ntwo;" || f.URL != "https://nginx.org/a" {
		t.Errorf("read %+v", f)
	}
}

// What people run most has the settings that they must change most.
func TestTheUsualServersHaveTheUsualSettings(t *testing.T) {
	for _, software := range []string{"nginx", "apache", "haproxy", "caddy", "stunnel", "postfix", "dovecot", "postgresql", "go", "java", "node", "openssl", "gnutls"} {
		for _, setting := range []string{"versions", "cipher-suites", "groups"} {
			if _, ok := For(setting, software); !ok {
				t.Errorf("%s has no %s", software, setting)
			}
		}
	}
	if _, ok := For("versions", "nobody"); ok {
		t.Error("a program that does not exist has settings")
	}
	if !slices.IsSortedFunc(Settings(), func(a, b Setting) int { return strings.Compare(a.ID, b.ID) }) || Programs()[0].ID != "nginx" {
		t.Error("the lists are not in their order")
	}
}
