package interop

import (
	"regexp"
	"strings"
	"testing"
)

// caddyBefore finds what a line of Caddy's says of older versions. Debian has such a one.
var caddyBefore = regexp.MustCompile(`(?m)^( *)\S.*# from Caddy 2\.8 on; before: (.*)$`)

// caddyOptions are Caddy's own, above all sites: it stays by itself.
const caddyOptions = "admin off\nskip_install_trust\nstorage file_system {DIR}/caddy\n"

// checkCaddy has Caddy check a file, which loads certificates and makes all that it would run.
func checkCaddy(t *testing.T, dir, _, lines string) {
	version := string(mustRun(t, dir, nil, "caddy", "version"))
	if m := regexp.MustCompile(`^v?2\.([0-7])\.`).FindString(version); m != "" {
		lines = caddyBefore.ReplaceAllString(lines, "$1$2")
	}
	options, site := "", "https://localhost:65533 {\n\ttls internal\n}\n"
	switch first, _, _ := strings.Cut(lines, " "); {
	case strings.HasPrefix(lines, "{\n"):
		options = strings.TrimSuffix(strings.TrimPrefix(lines, "{\n"), "}")
	case strings.HasPrefix(lines, "example.com"):
		site = lines + "\n"
	case first == "transport":
		site = "http://localhost:65533 {\nreverse_proxy https://127.0.0.1:9 {\n" + lines + "\n}\n}\n"
	default:
		site = "https://localhost:65533 {\n" + lines + "\n}\n"
	}
	conf := "{\n" + strings.ReplaceAll(caddyOptions, "{DIR}", dir) + options + "}\n" + site
	mustRun(t, dir, []string{"HOME=" + dir}, "caddy", "validate", "--adapter", "caddyfile", "--config", written(t, dir, "Caddyfile", conf))
}

// caddyServer is Caddy with lines of a site.
func caddyServer(name, lines string) scanRow {
	own := "tls {CERT} {KEY}"
	if rest, is := strings.CutPrefix(lines, "tls {\n"); is {
		lines, own = "", own+" {\n"+rest
	}
	return scanned("Caddy: "+name, "caddy", "caddy").runs("env", "HOME={DIR}", "caddy", "run", "--adapter", "caddyfile", "--config", "{DIR}/Caddyfile").with("Caddyfile",
		"{\n"+caddyOptions+"auto_https disable_redirects\n}\nhttps://localhost:{PORT} {\nbind 127.0.0.1\nrespond \"fine\"\n"+own+"\n"+lines+"\n}\n")
}
