package browser

import (
	"archive/tar"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"

	"github.com/vitrine-tls/vitrine/internal/proof/programs"
)

// axeVersion is of the rules for accessibility that pages are held to.
const axeVersion = "4.14.1"

// axe is their script, fetched once to the user's cache.
var axe = sync.OnceValues(func() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "vitrine-tests")
	file := filepath.Join(dir, "axe-core-"+axeVersion+".tgz")
	if _, err := os.Stat(file); err != nil {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return "", err
		}
		pack := exec.Command("npm", "pack", "--silent", "axe-core@"+axeVersion)
		pack.Dir = dir
		if out, err := pack.CombinedOutput(); err != nil {
			return "", fmt.Errorf("npm pack axe-core: %w: %s", err, out)
		}
	}
	return fromPackage(file, "package/axe.min.js")
})

// fromPackage is one file of a package of npm.
func fromPackage(file, name string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return "", err
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err != nil {
			return "", fmt.Errorf("%s in %s: %w", name, file, err)
		}
		if h.Name == name {
			text, err := io.ReadAll(r)
			return string(text), err
		}
	}
}

// Accessible fails where axe-core finds something in the page, light or dark; what names the
// page. Frames are not looked into. It leaves the tab dark.
func (x *Tab) Accessible(what string) {
	x.T.Helper()
	rules, err := axe()
	if err != nil {
		programs.Missing(x.T, err.Error())
	}
	Eval[any](x, rules+"; 0")
	x.Scheme("light")
	x.ask(what+", light", "{}")
	x.Scheme("dark")
	x.ask(what+", dark", `{runOnly: ["color-contrast"]}`)
}

func (x *Tab) ask(what, options string) {
	x.T.Helper()
	ask := `axe.run(document, {resultTypes: ["violations"], iframes: false, ...` + options + `}).then((r) => r.violations.map((v) => v.id + ": " + v.help + ": " + v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160) + " " + (n.any[0] ? n.any[0].message : "")).join(" | ")))`
	for _, violation := range Eval[[]string](x, ask) {
		x.T.Errorf("%s: %s", what, violation)
	}
}
