package harden

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	landlocksys "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"

	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/internal/proof/leak"
	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/tls"
)

// inChild makes this program the process that is hardened.
const inChild = "VITRINE_HARDEN_CHILD"

func TestMain(m *testing.M) {
	if text := os.Getenv(inChild); text != "" {
		os.Exit(child(text))
	}
	if file := os.Getenv(offlineFile); file != "" {
		beOffline(file)
		os.Exit(0)
	}
	leak.Main(m)
}

// An order is what the child is to do, a verdict what came of it.
type order struct {
	Process                   config.Process
	Paths                     Paths
	Cert, Outside, Forbidden  string
	Permitted, Folder, Beside string
}

type verdict struct {
	Report []string
	Err    string
	// Tried has what each attempt ended with; empty where it succeeded.
	Tried map[string]string
	Core  uint64
	Dump  int
}

func child(text string) int {
	var o order
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return 3
	}
	config := tls.Config{}
	pair, err := tls.LoadX509KeyPair(o.Cert, o.Cert)
	if err != nil {
		return 4
	}
	config.Certificates = []tls.Certificate{pair}
	conn, err := net.FileConn(os.NewFile(3, "client"))
	if err != nil {
		return 5
	}
	v := verdict{Tried: map[string]string{}}
	v.Report, err = Apply(o.Process, o.Paths)
	if err != nil {
		v.Err = err.Error()
		json.NewEncoder(os.Stdout).Encode(v)
		return 0
	}
	for name, try := range attempts(o) {
		v.Tried[name] = ""
		if err := try(); err != nil {
			v.Tried[name] = err.Error()
		}
	}
	var limit syscall.Rlimit
	syscall.Getrlimit(syscall.RLIMIT_CORE, &limit)
	v.Core = limit.Cur
	v.Dump, _ = unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
	json.NewEncoder(os.Stdout).Encode(v)

	// TLS goes on: what comes is sent back.
	server := tls.Server(conn, &config)
	if _, err := io.Copy(server, server); err != nil {
		return 6
	}
	server.Close()
	return 0
}

// above are the upper 32 bits of an argument, where there are any.
const above = ^uintptr(0) >> 32 << 32

// attempts are what a sandboxed process may not do, and below what it may.
func attempts(o order) map[string]func() error {
	call := func(number uintptr, args ...uintptr) func() error {
		return func() error {
			var a [6]uintptr
			copy(a[:], args)
			if _, _, e := syscall.RawSyscall6(number, a[0], a[1], a[2], a[3], a[4], a[5]); e != 0 {
				return e
			}
			return nil
		}
	}
	open := func(name string, flags int) func() error {
		return func() error {
			f, err := os.OpenFile(name, flags, 0o600)
			if err == nil {
				f.Close()
			}
			return err
		}
	}
	dial := func(address string) func() error {
		return func() error {
			c, err := net.Dial("tcp", address)
			if err == nil {
				c.Close()
			}
			return err
		}
	}
	return map[string]func() error{
		"exec":     func() error { return exec.Command("/bin/true").Run() },
		"ptrace":   call(unix.SYS_PTRACE, unix.PTRACE_ATTACH, 0),
		"unshare":  call(unix.SYS_UNSHARE, unix.CLONE_NEWUSER),
		"mount":    call(unix.SYS_MOUNT),
		"bpf":      call(unix.SYS_BPF, 0, 0, 0),
		"keyctl":   call(unix.SYS_KEYCTL, 0, 0, 0),
		"module":   call(unix.SYS_INIT_MODULE),
		"io_uring": call(unix.SYS_IO_URING_SETUP, 1),
		"setuid 0": func() error { return syscall.Setuid(0) },
		"code": func() error {
			_, err := unix.Mmap(-1, 0, 4096, unix.PROT_EXEC|unix.PROT_READ, unix.MAP_ANON|unix.MAP_PRIVATE)
			return err
		},
		"packet socket":    call(unix.SYS_SOCKET, unix.AF_PACKET, unix.SOCK_RAW, 0),
		"multipath socket": call(unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_MPTCP),
		"SCTP socket":      call(unix.SYS_SOCKET, unix.AF_INET6, unix.SOCK_STREAM, unix.IPPROTO_SCTP),
		"SCTP by its type": call(unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_SEQPACKET, 0),
		"netlink of IPsec": call(unix.SYS_SOCKET, unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_XFRM),
		// The kernel takes the lower half of these arguments.
		"multipath socket, bits above": call(unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_STREAM, above|unix.IPPROTO_MPTCP),
		"packet socket, bits above":    call(unix.SYS_SOCKET, above|unix.AF_PACKET, unix.SOCK_RAW, 0),
		"dump core, bits above":        call(unix.SYS_PRCTL, above|unix.PR_SET_DUMPABLE, 1),
		"namespace, bits above":        call(unix.SYS_CLONE, above|unix.CLONE_THREAD|unix.CLONE_NEWUSER),
		"code, bits above":             call(unix.SYS_MPROTECT, uintptr(unix.Getpagesize()), uintptr(unix.Getpagesize()), above|unix.PROT_EXEC),
		"raise a limit":                func() error { return unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{Cur: 1, Max: 1}) },
		"open shadow":                  open("/etc/shadow", os.O_RDONLY),
		"open outside":                 open(o.Outside, os.O_RDONLY),
		"write outside":                open(o.Beside, os.O_WRONLY|os.O_CREATE),
		"write what is read":           open(o.Cert, os.O_WRONLY),
		"connect elsewhere":            dial(o.Forbidden),
		"bind elsewhere": func() error {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err == nil {
				l.Close()
			}
			return err
		},

		"may read":    open(o.Cert, os.O_RDONLY),
		"may write":   open(filepath.Join(o.Folder, "new"), os.O_WRONLY|os.O_CREATE),
		"may connect": dial(o.Permitted),
		"may watch":   func() error { fd, err := unix.InotifyInit1(unix.IN_CLOEXEC); unix.Close(fd); return err },
		"may ask":     func() error { _, err := net.Interfaces(); return err },
		"may replace": func() error { return os.Rename(filepath.Join(o.Folder, "old"), filepath.Join(o.Folder, "older")) },
	}
}

// needLandlock skips where the kernel lacks a part of the sandbox.
func needLandlock(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root can give root up")
	}
	if abi, err := landlocksys.LandlockGetABIVersion(); err != nil || abi < abiPorts {
		t.Skipf("the kernel has landlock %d (%v), and version %d is needed for ports", abi, err, abiPorts)
	}
}

func listen(t *testing.T) (string, uint16) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().String(), uint16(l.Addr().(*net.TCPAddr).Port)
}

// prepare makes folders that user nobody can reach, with a certificate.
func prepare(t *testing.T) (o order, roots *devca.CA) {
	t.Helper()
	home, err := os.MkdirTemp("", "harden")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(home) })
	o = order{Cert: filepath.Join(home, "tls", "pair.pem"), Outside: filepath.Join(home, "private", "file"), Folder: filepath.Join(home, "state"),
		Beside: filepath.Join(home, "open", "file")}
	for folder, mode := range map[string]fs.FileMode{"": 0o755, "tls": 0o755, "private": 0o755, "state": 0o777, "open": 0o777} {
		if err := errors.Join(os.MkdirAll(filepath.Join(home, folder), mode), os.Chmod(filepath.Join(home, folder), mode)); err != nil {
			t.Fatal(err)
		}
	}
	text, roots := makePair(t)
	for name, text := range map[string][]byte{o.Cert: text, o.Outside: []byte("secret"), filepath.Join(o.Folder, "old"): nil} {
		if err := errors.Join(os.WriteFile(name, text, 0o666), os.Chmod(name, 0o666)); err != nil {
			t.Fatal(err)
		}
	}
	return o, roots
}

// run starts the child, and speaks TLS with it once it has said what came of the attempts.
func run(t *testing.T, o order, roots *devca.CA) verdict {
	t.Helper()
	ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := os.NewFile(uintptr(ends[0]), "ours"), os.NewFile(uintptr(ends[1]), "theirs")
	defer ours.Close()
	text, _ := json.Marshal(o)
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe")
	cmd.Env, cmd.ExtraFiles, cmd.Stderr = append(os.Environ(), inChild+"="+string(text)), []*os.File{theirs}, os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	theirs.Close()
	var v verdict
	if err := json.NewDecoder(out).Decode(&v); err != nil {
		t.Fatalf("the child said nothing: %v, %v", err, cmd.Wait())
	}
	if v.Err != "" {
		cmd.Wait()
		return v
	}
	conn, err := net.FileConn(ours)
	if err != nil {
		t.Fatal(err)
	}
	client := tls.Client(conn, &tls.Config{RootCAs: roots.Pool(), ServerName: "server.test"})
	if _, err := client.Write([]byte("still here")); err != nil {
		t.Fatalf("no TLS with the hardened process: %v", err)
	}
	client.CloseWrite()
	if back, err := io.ReadAll(client); string(back) != "still here" || err != nil {
		t.Errorf("the hardened process answered %q, %v", back, err)
	}
	client.Close()
	if err := cmd.Wait(); err != nil {
		t.Errorf("the hardened process ended with %v", err)
	}
	return v
}

func TestASandboxedProcessCanServeAndNothingElse(t *testing.T) {
	needLandlock(t)
	o, roots := prepare(t)
	var permitted uint16
	o.Permitted, permitted = listen(t)
	o.Forbidden, _ = listen(t)
	o.Process = config.Process{User: "nobody", Sandbox: sandboxRequire}
	o.Paths = Paths{Read: []string{o.Cert}, Write: []string{o.Folder}, Connect: []uint16{permitted}}
	v := run(t, o, roots)
	if v.Err != "" {
		t.Fatalf("%s; %q", v.Err, v.Report)
	}
	for name, err := range v.Tried {
		if may := strings.HasPrefix(name, "may "); may && err != "" {
			t.Errorf("%s: %s", name, err)
		} else if !may && !strings.Contains(err, "not permitted") && !strings.Contains(err, "denied") {
			t.Errorf("%s is not refused: %q", name, err)
		}
	}
	if v.Core != 0 || v.Dump != 0 {
		t.Errorf("core limit %d, dumpable %d", v.Core, v.Dump)
	}
	t.Log(strings.Join(v.Report, "; "))
}

// Without a sandbox the attempts succeed that need no rights: they are refused above by the sandbox.
func TestWithoutASandboxAttemptsSucceed(t *testing.T) {
	needLandlock(t)
	o, roots := prepare(t)
	o.Permitted, _ = listen(t)
	o.Forbidden, _ = listen(t)
	o.Process = config.Process{Sandbox: sandboxOff, User: "nobody"}
	o.Paths = Paths{Read: []string{"/etc/shadow"}}
	v := run(t, o, roots)
	for _, name := range []string{"exec", "code", "open outside", "write outside", "write what is read", "connect elsewhere", "bind elsewhere"} {
		if err := v.Tried[name]; err != "" {
			t.Errorf("%s fails without a sandbox: %s", name, err)
		}
	}
	if v.Tried["setuid 0"] == "" || v.Tried["open shadow"] == "" {
		t.Errorf("root is not given up: %v", v.Tried)
	}
	if !strings.Contains(strings.Join(v.Report, "\n"), `"/etc/shadow" cannot be read any more`) {
		t.Errorf("no word of a file that is out of reach: %q", v.Report)
	}
}

func TestLockedMemory(t *testing.T) {
	needLandlock(t)
	o, roots := prepare(t)
	o.Permitted, _ = listen(t)
	o.Forbidden, _ = listen(t)
	o.Process = config.Process{Keys: keysLocked, User: "nobody", Sandbox: sandboxOff}
	o.Paths = Paths{Read: []string{o.Cert}}
	v := run(t, o, roots)
	if strings.Contains(v.Err, "the limit of locked memory") {
		t.Skip(v.Err)
	}
	if v.Err != "" || !strings.Contains(v.Report[0], "locked") {
		t.Errorf("%s; %q", v.Err, v.Report)
	}
}

// makePair is a chain and its key in one file.
func makePair(t *testing.T) (text []byte, ca *devca.CA) {
	t.Helper()
	ca, err := devca.New("server.test")
	if err != nil {
		t.Fatal(err)
	}
	pair, err := ca.Issue(devca.Leaf{Names: []string{"server.test"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, der := range pair.Certificate {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	der, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return append(text, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})...), ca
}
