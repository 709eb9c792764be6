package proxy

import (
	"net"
	"regexp"
	"strconv"
	"strings"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/flags"
	"github.com/vitrine-tls/vitrine/proxy/config"
)

// asTyped puts what people type in flags into the forms that a configuration has: ports alone,
// names of services, names beyond ASCII, lists with colons. What it cannot read stays as it
// is: the check of the configuration says what is wrong with it.
func asTyped(f *config.Flags) {
	each(f.Listen, listened)
	each(f.Target, reached)
	each(f.Route, routed)
	each(f.Passthrough, routed)
	for _, one := range []*string{&f.Metrics, &f.ACMEListen} {
		if *one != "" {
			*one = listened(*one)
		}
	}
	each(f.Development, inDNS)
	each(f.ACME, inDNS)
	f.SNI = inDNS(f.SNI)
	for _, names := range []*config.List{&f.Suites, &f.Groups, &f.SigAlgs} {
		if len(*names) > 0 {
			*names = strings.FieldsFunc(strings.Join(*names, ","), func(r rune) bool { return r == ':' || r == ',' })
		}
	}
}

func each(list []string, change func(string) string) {
	for i := range list {
		list[i] = change(list[i])
	}
}

// listened is an address to listen on; a port alone is on the loopback interface.
func listened(s string) string {
	if strings.HasPrefix(s, "unix:") || strings.HasPrefix(s, "systemd:") {
		return s
	}
	if at, err := flags.ParseListen(s); err == nil {
		return at
	}
	return s
}

// reached is the address of a target.
func reached(s string) string {
	if _, _, err := net.SplitHostPort(s); err != nil || strings.HasPrefix(s, "unix:") || strings.Contains(s, "://") {
		return s
	}
	if at, err := flags.ParseTarget(s); err == nil {
		return at.String()
	}
	return s
}

// routed is NAMES=ADDRESSES.
func routed(s string) string {
	names, addresses, ok := strings.Cut(s, "=")
	if !ok {
		return s
	}
	n, a := strings.Split(names, ","), strings.Split(addresses, ",")
	each(n, inDNS)
	each(a, reached)
	return strings.Join(n, ",") + "=" + strings.Join(a, ",")
}

// inDNS is a name as DNS has it, behind a star too.
func inDNS(name string) string {
	bare, star := strings.CutPrefix(name, "*.")
	ascii, err := flags.ALabels(bare)
	switch {
	case err != nil:
		return name
	case star:
		return "*." + ascii
	}
	return ascii
}

var days = regexp.MustCompile(`^([0-9]{1,5})d$`)

// inHours is a time in hours, where it is one in days: 365d.
func inHours(s string) string {
	if m := days.FindStringSubmatch(s); m != nil {
		n, _ := strconv.Atoi(m[1]) // digits
		return strconv.Itoa(24*n) + "h"
	}
	return s
}
