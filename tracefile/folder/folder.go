package folder

import (
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
	"time"
)

// Bounds of a folder where none are given.
const (
	DefaultFiles = 500
	DefaultBytes = 64 << 20
)

// A Folder holds traces, one a file. Where it is full, the oldest of the peer that has most
// makes room: a peer that fails again and again pushes out its own. It is for one goroutine
// at a time.
type Folder struct {
	dir   string
	files int
	most  int64
	kept  []entry // the oldest first
	bytes int64
}

// entry is a file in the folder.
type entry struct {
	name    string
	network string // of the peer
	size    int64
}

// named is how the files are called, by time and peer. Others in the folder are left alone.
var named = regexp.MustCompile(`^\d{8}T\d{6}\.\d{6}Z_([0-9A-Za-z.-]+)_\d+\.ndjson$`)

// notInNames is what an address has and the name of a file has not.
var notInNames = regexp.MustCompile(`[^0-9A-Za-z.]`)

// networkOf is what counts as one peer: of IPv6, where a host has as many addresses as it
// likes, its network. host is as in the name of a file.
func networkOf(host string) string {
	ip, err := netip.ParseAddr(strings.ReplaceAll(host, "-", ":"))
	if err != nil || !ip.Is6() {
		return host
	}
	return netip.PrefixFrom(ip.WithZone(""), 64).Masked().String()
}

// Open opens the folder dir, which it makes for its owner alone if it is not there, and
// counts what earlier runs have left in it. It holds at most files files of bytes bytes in
// all; 0 is the default of each. The error says that nothing can be written there.
func Open(dir string, files int, bytes int64) (*Folder, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(dir) // sorted by name, so by time
	if err != nil {
		return nil, err
	}
	f := &Folder{dir: dir, files: cmp.Or(files, DefaultFiles), most: cmp.Or(bytes, DefaultBytes)}
	for _, e := range entries {
		name := named.FindStringSubmatch(e.Name())
		info, err := e.Info()
		if name == nil || err != nil || !info.Mode().IsRegular() {
			continue
		}
		f.kept, f.bytes = append(f.kept, entry{e.Name(), networkOf(name[1]), info.Size()}), f.bytes+info.Size()
	}
	probe, err := os.CreateTemp(dir, ".probe-*")
	if err != nil {
		return nil, err
	}
	return f, errors.Join(probe.Close(), os.Remove(probe.Name()), f.makeRoom(0))
}

// Add writes the trace of a connection that began at this time with this peer, an address or
// what stands for one, and returns the path of its file. Where the trace cannot be written
// whole, nothing of it is left.
func (f *Folder) Add(at time.Time, peer string, trace []byte) (string, error) {
	size := int64(len(trace))
	if size > f.most {
		return "", fmt.Errorf("a trace of %d bytes is larger than the folder may be", size)
	}
	if err := f.makeRoom(size); err != nil {
		return "", err
	}
	host, port, err := net.SplitHostPort(peer)
	if err != nil {
		host, port = peer, "0"
	}
	host = cmp.Or(notInNames.ReplaceAllString(host, "-"), "unknown")
	one := entry{fmt.Sprintf("%s_%s_%s.ndjson", at.UTC().Format("20060102T150405.000000Z"), host, port), networkOf(host), size}
	name := filepath.Join(f.dir, one.name)
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", err
	}
	if err := fill(file, trace); err != nil {
		return "", err
	}
	f.kept, f.bytes = append(f.kept, one), f.bytes+size
	return name, nil
}

// fill writes to a file that was just made. Half a trace would be worse than none: it takes
// room on a disk that has none.
func fill(file *os.File, text []byte) error {
	_, err := file.Write(text)
	if err = errors.Join(err, file.Close()); err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}

// makeRoom removes files until one more of this size fits.
func (f *Folder) makeRoom(size int64) error {
	for len(f.kept) > 0 && (len(f.kept) >= f.files || f.bytes+size > f.most) {
		of, most := map[string]int{}, 0
		for _, k := range f.kept {
			of[k.network]++
			most = max(most, of[k.network])
		}
		i := slices.IndexFunc(f.kept, func(k entry) bool { return of[k.network] == most })
		if err := os.Remove(filepath.Join(f.dir, f.kept[i].name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		f.bytes -= f.kept[i].size
		f.kept = slices.Delete(f.kept, i, i+1)
	}
	return nil
}
