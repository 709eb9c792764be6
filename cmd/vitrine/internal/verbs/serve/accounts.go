package serve

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/tracefile"
)

// Bounds of the folder of --explain-failures, so that strangers cannot fill the disk.
const (
	mostAccounts     = 500
	mostAccountBytes = 64 << 20
)

// accounts is a folder of traces of failed handshakes. Where it is full, the oldest of the
// address that has most makes room: who fails again and again pushes out its own.
type accounts struct {
	dir   string
	kept  []account // the oldest first
	bytes int64
}

// account is a file in the folder.
type account struct {
	name    string
	network string // of the peer
	size    int64
}

// accountName is how the files are called, by time and peer. Others in the folder are left
// alone.
var accountName = regexp.MustCompile(`^\d{8}T\d{6}\.\d{6}Z_([0-9A-Za-z.-]+)_\d+\.ndjson$`)

// notInNames is what an address has and the name of a file has not.
var notInNames = regexp.MustCompile(`[^0-9A-Za-z.]`)

// networkOf is what counts as one address: of IPv6, where a host has as many as it likes,
// its network. host is as in the name of a file.
func networkOf(host string) string {
	ip, err := netip.ParseAddr(strings.ReplaceAll(host, "-", ":"))
	if err != nil || !ip.Is6() {
		return host
	}
	return netip.PrefixFrom(ip.WithZone(""), 64).Masked().String()
}

// openAccounts opens the folder, which it makes if it is not there, for its owner alone.
func openAccounts(dir string) (*accounts, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(dir) // sorted by name, so by time
	if err != nil {
		return nil, err
	}
	a := &accounts{dir: dir}
	for _, e := range entries {
		name := accountName.FindStringSubmatch(e.Name())
		info, err := e.Info()
		if name == nil || err != nil || !info.Mode().IsRegular() {
			continue
		}
		a.kept, a.bytes = append(a.kept, account{e.Name(), networkOf(name[1]), info.Size()}), a.bytes+info.Size()
	}
	probe, err := os.CreateTemp(dir, ".probe-*")
	if err != nil {
		return nil, err
	}
	return a, errors.Join(probe.Close(), os.Remove(probe.Name()), a.makeRoom(0))
}

// add writes a failure, and returns the name of its file; empty where nothing was said in
// the connection.
func (a *accounts) add(f failure) (string, error) {
	var out bytes.Buffer
	if err := f.collector.Save(tracefile.NewWriter(&out, false), f.about); err != nil {
		return "", err
	}
	if bytes.Count(out.Bytes(), []byte("\n")) < 2 { // the header alone
		return "", nil
	}
	if err := a.makeRoom(int64(out.Len())); err != nil {
		return "", err
	}
	host, port, err := net.SplitHostPort(f.peer)
	if err != nil {
		host, port = f.peer, "0"
	}
	host = cmp.Or(notInNames.ReplaceAllString(host, "-"), "unknown")
	one := account{fmt.Sprintf("%s_%s_%s.ndjson", f.at.UTC().Format("20060102T150405.000000Z"), host, port), networkOf(host), int64(out.Len())}
	name := filepath.Join(a.dir, one.name)
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", err
	}
	a.kept, a.bytes = append(a.kept, one), a.bytes+one.size
	_, err = file.Write(out.Bytes())
	return name, errors.Join(err, file.Close())
}

// makeRoom removes files until one more of this size fits.
func (a *accounts) makeRoom(size int64) error {
	for len(a.kept) > 0 && (len(a.kept) >= mostAccounts || a.bytes+size > mostAccountBytes) {
		of, most := map[string]int{}, 0
		for _, k := range a.kept {
			of[k.network]++
			most = max(most, of[k.network])
		}
		i := slices.IndexFunc(a.kept, func(k account) bool { return of[k.network] == most })
		if err := os.Remove(filepath.Join(a.dir, a.kept[i].name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		a.bytes -= a.kept[i].size
		a.kept = slices.Delete(a.kept, i, i+1)
	}
	return nil
}
