package harden

import (
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/vitrine-tls/vitrine/proxy/config"
)

// Paths are what a sandbox leaves open. A folder stands for all that is below it.
type Paths struct {
	// Read are files and folders. Of a file its folder is opened, since files are replaced by renaming.
	Read []string
	// Write are folders, which need not exist yet.
	Write []string
	// Connect are TCP ports of others. AnyConnect opens all of them, where they cannot be known.
	Connect    []uint16
	AnyConnect bool
	// Bind are TCP ports that may be listened on. Listeners that are open already need none.
	Bind []uint16
	// Offline leaves no socket to be made at all.
	Offline bool
}

// system are what name resolution, trust and time zones are read from; what is missing does no harm.
var system = []string{
	"/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/services", "/etc/localtime", "/etc/mime.types",
	"/etc/ssl", "/etc/pki", "/etc/ca-certificates", "/usr/share/ca-certificates", "/usr/local/share/ca-certificates",
	"/usr/share/zoneinfo", "/run/systemd/resolve", "/proc/self", "/proc/stat", "/proc/meminfo", "/proc/sys/net", "/sys/fs/cgroup", "/dev/null", "/dev/urandom",
}

// Of is what a configuration needs. file is where it was read from, for reloads; empty for nowhere.
func Of(c config.Config, file string) Paths {
	var p Paths
	p.read(file, c.Sessions.KeyFile)
	for _, l := range c.Listeners {
		p.listener(l)
	}
	for _, t := range c.Targets {
		p.target(t)
	}
	p.store(c.Sessions.Store)
	p.address(c.Admin.Listen)
	if u, err := url.Parse(c.Admin.OTLP); err == nil && c.Admin.OTLP != "" {
		p.connect(u.Host, "4318")
	}
	p.write(c.Traces.Folder)
	if c.Process.Handover != "" {
		p.write(filepath.Dir(strings.TrimPrefix(c.Process.Handover, "unix:")))
	}
	p.Connect = append(p.Connect, 53) // names that do not fit a datagram
	p.tidy()
	return p
}

// store is what the store of sessions needs, by its URL.
func (p *Paths) store(store string) {
	u, err := url.Parse(store)
	if err != nil || store == "" {
		return
	}
	p.read(u.Query().Get("ca"), u.Query().Get("credentials"))
	if u.Scheme != "file" { // a cluster names further addresses by itself
		p.AnyConnect = true
		return
	}
	folder := u.Path
	if u.Opaque != "" { // file:sessions
		folder, _ = url.PathUnescape(u.Opaque)
	}
	p.write(folder)
}

func (p *Paths) listener(l config.Listener) {
	for _, address := range l.Listen {
		p.address(address)
	}
	if l.StartTLS == "ftp" || l.StartTLS == "ftps" { // data connections are on ports that the other side names
		p.AnyConnect = true
		p.Bind = append(p.Bind, 0)
		if l.FTP != nil {
			for port := max(l.FTP.FirstPort, 1); port <= min(l.FTP.LastPort, 65535); port++ {
				p.Bind = append(p.Bind, uint16(port))
			}
		}
	}
	if l.TLS == nil {
		return
	}
	p.read(l.TLS.ClientCA, l.TLS.PSKFile)
	p.read(l.TLS.CRL...)
	p.read(l.TLS.ECHKeys...)
	if l.TLS.Revocation != "off" || !l.TLS.NoStapling { // responders and lists of revocations
		p.Connect = append(p.Connect, 80, 443)
	}
	for _, certificate := range l.TLS.Certificates {
		p.certificate(certificate)
	}
}

func (p *Paths) certificate(c config.Certificate) {
	p.read(c.Cert, c.Key, c.PKCS12, c.PasswordFile)
	if len(c.Development) > 0 { // the authority makes certificates again before they end
		if folder, err := os.UserConfigDir(); err == nil {
			p.read(filepath.Join(folder, "vitrine"))
			p.write(filepath.Join(folder, "vitrine"))
		}
	}
	if c.ACME == nil {
		return
	}
	p.read(c.ACME.CA)
	p.write(c.ACME.Storage)
	p.Connect = append(p.Connect, 443)
	if u, err := url.Parse(c.ACME.Directory); err == nil && c.ACME.Directory != "" {
		p.connect(u.Host, "443")
	}
	if c.ACME.Challenge == "http-01" {
		listen := c.ACME.HTTPListen
		if listen == "" {
			listen = ":80"
		}
		p.address(listen)
	}
}

func (p *Paths) target(t config.Target) {
	for _, address := range t.Addresses {
		if path, ok := strings.CutPrefix(address, "unix:"); ok {
			p.read(path)
			continue
		}
		p.connect(address, "")
	}
	if t.TLS != nil {
		p.read(t.TLS.CA, t.TLS.Cert, t.TLS.Key)
		if t.TLS.Revocation != "" && t.TLS.Revocation != "off" {
			p.Connect = append(p.Connect, 80, 443)
		}
	}
}

// address is what is listened on.
func (p *Paths) address(listen string) {
	if path, ok := strings.CutPrefix(listen, "unix:"); ok {
		p.write(filepath.Dir(path))
		return
	}
	if strings.HasPrefix(listen, "systemd:") {
		return
	}
	if port, ok := portOf(listen, ""); ok {
		p.Bind = append(p.Bind, port)
	}
}

// connect opens the port of an address; one that is not understood opens all.
func (p *Paths) connect(address, fallback string) {
	port, ok := portOf(address, fallback)
	if !ok {
		p.AnyConnect = true
		return
	}
	p.Connect = append(p.Connect, port)
}

func portOf(address, fallback string) (uint16, bool) {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		port = fallback
	}
	if n, err := strconv.ParseUint(port, 10, 16); err == nil {
		return uint16(n), true
	}
	n, err := net.LookupPort("tcp", port)
	return uint16(n), err == nil && port != ""
}

func (p *Paths) read(files ...string)    { p.Read = append(p.Read, files...) }
func (p *Paths) write(folders ...string) { p.Write = append(p.Write, folders...) }

func (p *Paths) tidy() {
	p.Read, p.Write = absolute(p.Read), absolute(p.Write)
	slices.Sort(p.Connect)
	slices.Sort(p.Bind)
	p.Connect, p.Bind = slices.Compact(p.Connect), slices.Compact(p.Bind)
}

func absolute(paths []string) []string {
	var list []string
	for _, path := range paths {
		if path == "" {
			continue
		}
		if full, err := filepath.Abs(path); err == nil {
			list = append(list, full)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// Beyond lists in words what next needs and p does not leave open. A reload that needs more than
// the sandbox has is refused: the process cannot take back what it gave away.
func (p Paths) Beyond(next Paths) []string {
	var list []string
	for _, path := range next.Read {
		if !below(path, p.Write) && !below(path, p.folders()) {
			list = append(list, "reading "+strconv.Quote(path))
		}
	}
	for _, path := range next.Write {
		if !below(path, p.Write) {
			list = append(list, "writing below "+strconv.Quote(path))
		}
	}
	if next.AnyConnect && !p.AnyConnect {
		list = append(list, "connecting to any TCP port")
	}
	for _, port := range next.Connect {
		if !p.AnyConnect && !slices.Contains(p.Connect, port) {
			list = append(list, "connecting to TCP port "+strconv.Itoa(int(port)))
		}
	}
	for _, port := range next.Bind {
		if !slices.Contains(p.Bind, port) {
			list = append(list, "listening on TCP port "+strconv.Itoa(int(port)))
		}
	}
	return list
}

// folders are what is opened for Read: folders themselves, and the folders of files, both where they are named
// and where links lead.
func (p Paths) folders() []string {
	var list []string
	for _, path := range p.Read {
		list = append(list, folderOf(path))
		if real, err := filepath.EvalSymlinks(path); err == nil {
			list = append(list, folderOf(real))
		}
	}
	return absolute(list)
}

func folderOf(path string) string {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return path
	}
	return filepath.Dir(path)
}

func below(path string, folders []string) bool {
	return slices.ContainsFunc(folders, func(folder string) bool {
		inside, err := filepath.Rel(folder, path)
		return err == nil && inside != ".." && !strings.HasPrefix(inside, ".."+string(filepath.Separator))
	})
}
