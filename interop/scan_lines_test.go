package interop

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/scan"
)

// scanLines is what a report says, as lines by name, so that a row is short.
//
//	TLS 1.2: server: ECDHE_RSA_WITH_AES_128_GCM_SHA256 ...   whose order counts; in its order
//	TLS 1.2: client: ...                                     sorted by name
//	groups of TLS 1.3: secp256r1 x25519                      sorted by name
//	DH, keys, schemes, ALPN, client certificate, trusted, software
//	and each feature by its name
func scanLines(r *scan.Report) map[string]string {
	lines := map[string]string{}
	for _, v := range r.Versions {
		if !v.Offered {
			continue
		}
		lines[v.Version] = scanSuites(v)
		if groups := scanGroups(r, v.Version); len(groups) > 0 {
			lines["groups of "+v.Version] = strings.Join(groups, " ")
		}
	}
	var fields, keys, schemes []string
	for _, d := range r.DH {
		field := fmt.Sprintf("%d bits", d.Bits)
		if d.Known != "" {
			field += " " + d.Known
		}
		if d.Reused {
			field += " reused"
		}
		fields = append(fields, field)
	}
	trusted := "yes"
	for _, c := range r.Chains {
		keys = append(keys, c.Key)
		if !c.Trusted {
			trusted = "no: " + c.Problem
		}
	}
	for _, s := range r.Schemes {
		schemes = append(schemes, s.Name)
	}
	lines["DH"], lines["keys"], lines["schemes"], lines["trusted"] = listed(fields, ", "), listed(keys, ", "), listed(schemes, " "), trusted
	lines["ALPN"], lines["software"], lines["client certificate"] = strings.Join(r.Protocols, " "), r.Software, "no"
	switch {
	case r.Client != nil && r.Client.Required:
		lines["client certificate"] = "required"
	case r.Client != nil:
		lines["client certificate"] = "asked for"
	}
	for _, f := range r.Features {
		lines[f.Name] = f.Value
	}
	return lines
}

func scanSuites(v scan.VersionReport) string {
	var names []string
	for _, s := range v.Suites {
		names = append(names, strings.TrimPrefix(s.Name, "TLS_"))
	}
	if v.Order != "server" { // what it is sorted by is the client's
		slices.Sort(names)
	}
	if v.Order == "" {
		return strings.Join(names, " ")
	}
	return v.Order + ": " + strings.Join(names, " ")
}

func scanGroups(r *scan.Report, version string) (names []string) {
	for _, g := range r.Groups {
		if slices.Contains(g.Versions, version) {
			names = append(names, g.Name)
		}
	}
	slices.Sort(names)
	return names
}

func listed(all []string, between string) string {
	slices.Sort(all)
	return strings.Join(slices.Compact(all), between)
}
