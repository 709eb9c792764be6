package interop

import (
	"context"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/proof/programs"
	"github.com/vitrine-tls/vitrine/scan"
	"github.com/vitrine-tls/vitrine/scan/fix"
)

// A mended is a real server with a weakness, and the setting by which that goes.
type mended struct {
	software, setting, finding string
	// weak are the lines that the setting's take the place of, and besides those that stay.
	weak, besides string
	server        func(lines string) scanRow
}

// settingsMend are the settings that people must change most.
var settingsMend = slices.Concat(
	mendedBy("nginx", func(lines string) scanRow { return nginxServer("mended", lines).listening("") },
		mended{setting: "versions", finding: "tls10", weak: "ssl_protocols TLSv1 TLSv1.2;", besides: "ssl_ciphers ALL:@SECLEVEL=0;"},
		mended{setting: "cipher-suites", finding: "suites-no-forward-secrecy", weak: "ssl_ciphers AES128-SHA:ECDHE-RSA-AES128-GCM-SHA256;"},
		mended{setting: "server-order", finding: "suites-order", weak: "ssl_prefer_server_ciphers off;", besides: "ssl_ciphers ECDHE-RSA-AES128-GCM-SHA256:AES128-SHA; ssl_protocols TLSv1.2;"},
		mended{setting: "hsts", finding: "no-hsts"}),
	mendedBy("apache", func(lines string) scanRow { return apacheServer("mended", lines) },
		mended{setting: "versions", finding: "tls10", weak: "SSLProtocol -all +TLSv1 +TLSv1.1 +TLSv1.2", besides: "SSLCipherSuite ALL:@SECLEVEL=0"},
		mended{setting: "cipher-suites", finding: "suites-no-forward-secrecy", weak: "SSLCipherSuite AES128-SHA:ECDHE-RSA-AES128-GCM-SHA256"},
		mended{setting: "server-order", finding: "suites-order", weak: "SSLHonorCipherOrder off", besides: "SSLCipherSuite ECDHE-RSA-AES128-GCM-SHA256:AES128-SHA"},
		mended{setting: "hsts", finding: "no-hsts"}),
	mendedBy("haproxy", haproxyGlobal,
		mended{setting: "versions", finding: "tls10", weak: "ssl-default-bind-options ssl-min-ver TLSv1.0", besides: "ssl-default-bind-ciphers ALL:@SECLEVEL=0"},
		mended{setting: "cipher-suites", finding: "suites-no-forward-secrecy", weak: "ssl-default-bind-ciphers AES128-SHA:ECDHE-RSA-AES128-GCM-SHA256"}),
	mendedBy("caddy", func(lines string) scanRow { return caddyServer("mended", lines) },
		mended{setting: "cipher-suites", finding: "suites-no-forward-secrecy", weak: "tls {\n    ciphers TLS_RSA_WITH_AES_128_GCM_SHA256 TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256\n}"},
		mended{setting: "hsts", finding: "no-hsts"}),
	mendedBy("stunnel", func(lines string) scanRow { return stunnelServer("mended", lines) },
		mended{setting: "versions", finding: "tls10", weak: "sslVersionMin = TLSv1", besides: "securityLevel = 0\nciphers = ALL"},
		mended{setting: "cipher-suites", finding: "suites-no-forward-secrecy", weak: "ciphers = AES128-SHA:ECDHE-RSA-AES128-GCM-SHA256"}),
	mendedBy("postfix", func(lines string) scanRow { return startingAs("Postfix", 0, lines+"\n") },
		mended{setting: "versions", finding: "tls10", weak: "smtpd_tls_protocols = >=TLSv1", besides: "tls_medium_cipherlist = ALL:@SECLEVEL=0\nsmtpd_tls_ciphers = medium"},
		mended{setting: "cipher-suites", finding: "suites-no-forward-secrecy", weak: "smtpd_tls_ciphers = medium"}),
	mendedBy("dovecot", func(lines string) scanRow { return startingAs("Dovecot", 0, lines+"\n") },
		mended{setting: "versions", finding: "tls10", weak: "ssl_min_protocol = TLSv1", besides: "ssl_cipher_list = ALL:@SECLEVEL=0"},
		mended{setting: "cipher-suites", finding: "suites-no-forward-secrecy", weak: "ssl_cipher_list = AES128-SHA:ECDHE-RSA-AES128-GCM-SHA256"}),
	mendedBy("postgresql", postgresWith,
		mended{setting: "versions", finding: "tls10", weak: "ssl_min_protocol_version = 'TLSv1'", besides: "ssl_ciphers = 'ALL:@SECLEVEL=0'"},
		mended{setting: "cipher-suites", finding: "suites-no-forward-secrecy", weak: "ssl_ciphers = 'HIGH:!aNULL'"}),
	mendedBy("gnutls", func(priority string) scanRow { return gnutlsServer("mended", strings.TrimSpace(priority)) },
		mended{setting: "versions", finding: "tls10", weak: "NORMAL:+VERS-TLS1.0"},
		mended{setting: "cipher-suites", finding: "suites-no-forward-secrecy", weak: "NORMAL"}),
	mendedBy("node", func(code string) scanRow {
		_, options, _ := strings.Cut(code, "({ ")
		options, besides, _ := strings.Cut(options, ", ... })")
		return nodeServer("mended", options+strings.TrimSpace(besides))
	},
		mended{setting: "versions", finding: "tls10", weak: "({ minVersion: 'TLSv1', ... })", besides: ", ciphers: 'ALL:@SECLEVEL=0'"},
		mended{setting: "cipher-suites", finding: "suites-no-forward-secrecy", weak: "({ ciphers: 'AES128-SHA:ECDHE-RSA-AES128-GCM-SHA256', ... })"}),
)

func mendedBy(software string, server func(lines string) scanRow, all ...mended) []mended {
	for i := range all {
		all[i].software, all[i].server = software, server
	}
	return all
}

// haproxyGlobal is HAProxy with lines of its section global.
func haproxyGlobal(lines string) scanRow {
	row := haproxyServer("mended", "")
	row.files = maps.Clone(row.files)
	row.files["haproxy.cfg"] = strings.Replace(row.files["haproxy.cfg"], "global\n", "global\n"+strings.TrimPrefix(lines, "global\n")+"\n", 1)
	return row
}

// postgresWith is PostgreSQL with lines of its file, as arguments.
func postgresWith(lines string) scanRow {
	var args []string
	for line := range strings.Lines(lines) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " = ")
		args = append(args, "-c", name+"="+strings.Trim(value, "'"))
	}
	return startingAs("PostgreSQL", 0, "", args...)
}

// The lines that go with a finding take it away: the server is scanned as it was, and with
// them.
func TestSettingsMend(t *testing.T) {
	programs.SkipIfOff(t)
	material, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin:"+strings.Join(globbed("/usr/lib/postgresql/*/bin"), ":"))
	for _, m := range settingsMend {
		t.Run(m.software+"/"+m.setting, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			f, ok := fix.For(m.setting, m.software)
			if !ok {
				t.Fatal("there is no such setting")
			}
			for lines, weak := range map[string]bool{m.weak: true, f.Lines: false} {
				row := m.server(strings.TrimPrefix(lines+"\n"+m.besides, "\n"))
				at, _ := row.open(ctx, t, material)
				r, err := (&scan.Prober{Timeout: 20 * time.Second}).Scan(ctx, at, scan.Options{Roots: material.pool, ConfigurationOnly: true})
				if err != nil || r.Failure != "" {
					t.Fatalf("with %q: %v, %s", lines, err, r.Failure)
				}
				if found := slices.ContainsFunc(r.Findings, func(f scan.Finding) bool { return f.ID == m.finding }); found != weak {
					t.Errorf("with %q: %s is found: %t; %+v", lines, m.finding, found, r.Versions)
				}
			}
		})
	}
}
