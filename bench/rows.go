package main

import (
	"cmp"
	"slices"
)

// A row is one named measurement. Its job goes to a contender; one that needs
// another process has the same peer job for all contenders.
type row struct {
	name    string
	kind    string // handshake, primitives, certificates, bulk, memory or captures
	job     string
	peer    string
	peerIs  string // the Go stack that does the peer job; empty: crypto/tls
	procs   int    // processors for the measured process, 0: all
	slow    bool   // a round takes long, so that few have to do
	still   bool   // says something on an idle machine alone
	metrics []metric
}

// A metric is scale * num / den of the answer's figures.
type metric struct {
	name     string // as in JSON
	title    string // above the table
	num, den string
	scale    float64
	digits   int
	higher   bool // is better
	goals    []goal
}

// A goal bounds vitrine's figure, or its ratio to another contender's where one
// is named; from below where higher is better, from above where lower is. It is about
// one state of the machine: idle, where none is named.
type goal struct {
	limit float64
	of    string
	state state
}

const (
	ecdsa13   = " version=1.3 group=X25519 cert=ecdsa suite=aes128gcm"
	ecdsa12   = " version=1.2 group=X25519 cert=ecdsa suite=aes128gcm"
	aes256gcm = " version=1.3 group=X25519 cert=ecdsa suite=aes256gcm"
	chacha20  = " version=1.3 group=X25519 cert=ecdsa suite=chacha20"
	mlkem13   = " version=1.3 group=X25519MLKEM768 cert=ecdsa suite=aes128gcm"
	rsa13     = " version=1.3 group=X25519 cert=rsa2048 suite=aes128gcm"
	mldsa13   = " version=1.3 group=X25519 cert=mldsa44 suite=aes128gcm"
	cbc10     = " version=1.0 group=X25519 cert=ecdsa suite=aes128cbc"
	rsa12     = " version=1.2 group=X25519 cert=rsa2048 suite=aes128gcm"
	dhe12     = " version=1.2 group=ffdhe2048 kx=dhe cert=rsa2048 suite=aes128gcm"
	psk13     = " version=1.3 group=X25519 cert=psk suite=aes128gcm"
	psk12     = " version=1.2 group=none cert=psk suite=aes128gcm"
	dhePSK12  = " version=1.2 group=ffdhe2048 kx=dhe cert=psk suite=aes128gcm"
	// OpenSSL has no AES-GCM suite with ECDHE_PSK.
	ecdhePSK12 = " version=1.2 group=X25519 kx=ecdhe cert=psk suite=chacha20"
)

var (
	cpuPerHandshake = metric{name: "cpu_us_per_handshake", title: "Handshakes: µs of CPU, both ends, one core",
		num: "cpu_ns", den: "n", scale: 1e-3, digits: 1, goals: []goal{{1, stdName, idle}}}
	allocsPerHandshake = metric{name: "allocs_per_handshake", title: "Handshakes: memory allocations, both ends",
		num: "allocs", den: "n", scale: 1, goals: []goal{{0.5, stdName, idle}}}
	handshakesPerSecond = metric{name: "handshakes_per_s", title: "Handshakes: per second, both ends, all cores",
		num: "n", den: "wall_ns", scale: 1e9, higher: true, goals: []goal{{1, stdName, idle}}}
	chainCPU = metric{name: "cpu_us_per_chain", title: "Certificates: µs of CPU to read and verify a chain of three",
		num: "cpu_ns", den: "n", scale: 1e-3, digits: 1}
	chainAllocs = metric{name: "allocs_per_chain", title: "Certificates: memory allocations to read and verify a chain of three",
		num: "allocs", den: "n", scale: 1}
	findTime = metric{name: "us_per_search", title: "Revocation lists: µs of CPU to find a certificate on one",
		num: "cpu_ns", den: "n", scale: 1e-3, digits: 2, goals: []goal{{limit: 10}}}
	parseSpeed = metric{name: "list_mb_per_s", title: "Revocation lists: MB per second of CPU to read one",
		num: "bytes", den: "cpu_ns", scale: 1e3, higher: true, goals: []goal{{limit: 100}}}
	speed = metric{name: "mb_per_s", title: "Bulk: MB/s of one core that sends",
		num: "bytes", den: "wall_ns", scale: 1e3, higher: true}
	cpuPerMB = metric{name: "cpu_us_per_mb", title: "Bulk: µs of CPU per MB at the measured end",
		num: "cpu_ns", den: "bytes", scale: 1e3, digits: 1}
	cpuPerWrite = metric{name: "cpu_us_per_write", title: "Small messages: µs of CPU per write",
		num: "cpu_ns", den: "n", scale: 1e-3, digits: 2}
	cpuPerTrip = metric{name: "cpu_us_per_round_trip", title: "Small messages: µs of CPU per round trip at one end",
		num: "cpu_ns", den: "n", scale: 1e-3, digits: 2}
	captureSpeed = metric{name: "capture_mb_per_s", title: "Captures: MB per second of CPU",
		num: "bytes", den: "cpu_ns", scale: 1e3, higher: true}
	captureMemory = metric{name: "capture_mb", title: "Captures: MB of memory that reading one takes",
		num: "peak", den: "one", scale: 1e-6, goals: []goal{{limit: 256}}}
	heapPerConn = metric{name: "heap_bytes_per_conn", title: "Idle connection: heap bytes per end, without goroutine and socket",
		num: "bytes", den: "n", scale: 1, goals: []goal{{limit: 1024}}}
	heapPerHalted = metric{name: "heap_bytes_per_stalled_conn", title: "Stalled connection: heap bytes at the server, without goroutine and socket",
		num: "bytes", den: "n", scale: 1, goals: []goal{{1.3, stdName, idle}}}

	handshakeMetrics = []metric{cpuPerHandshake, allocsPerHandshake}
)

// asks sets the goal of a metric for one row: its ratio to a contender's.
func (m metric) asks(limit float64, of string) metric {
	m.goals = []goal{{limit, of, idle}}
	return m
}

// also adds a goal.
func (m metric) also(limit float64, of string) metric {
	m.goals = append(slices.Clip(m.goals), goal{limit, of, idle})
	return m
}

// asksBoth adds a goal for each state of the machine.
func (m metric) asksBoth(whenIdle, whenLoaded float64, of string) metric {
	m.goals = append(slices.Clip(m.goals), goal{whenIdle, of, idle}, goal{whenLoaded, of, loaded})
	return m
}

var rows = slices.Concat(handshakeRows, serverRows, clientRows, scalingRows, primitiveRows, certificateRows, bulkRows, memoryRows, captureRows)

var handshakeRows = []row{
	handshake("tls1.3-x25519-ecdsa-full", "tickets=none"+ecdsa13),
	handshake("tls1.3-x25519mlkem768-ecdsa-full", "tickets=none"+mlkem13),
	handshake("tls1.3-x25519-rsa2048-full", "tickets=none"+rsa13,
		cpuPerHandshake.also(0.85, opensslName), allocsPerHandshake),
	handshake("tls1.3-x25519-mldsa44-full", "tickets=none"+mldsa13, cpuPerHandshake.asks(1, opensslName), allocsPerHandshake.within(100)),
	handshake("tls1.3-p256-ecdsa-full", "tickets=none version=1.3 group=P-256 cert=ecdsa suite=aes128gcm"),
	handshake("tls1.3-mutual-ecdsa", "tickets=none mutual=1"+ecdsa13),
	handshake("tls1.3-psk-resume", "tickets=use"+ecdsa13),
	handshake("tls1.3-early-data", "tickets=use early=1"+ecdsa13, cpuPerHandshake.asks(1, opensslName), allocsPerHandshake),
	handshake("tls1.3-external-psk", "tickets=none"+psk13, cpuPerHandshake.asks(1, opensslName), allocsPerHandshake),
	handshake("tls1.3-ech", "tickets=none ech=1"+ecdsa13),
	handshake("tls1.3-compressed-zlib", "tickets=none compressed=1"+ecdsa13, cpuPerHandshake.asks(1, opensslName), allocsPerHandshake),
	handshake("tls1.2-ecdhe-x25519-ecdsa-full", "tickets=none"+ecdsa12),
	handshake("tls1.2-ecdhe-rsa2048-full", "tickets=none"+rsa12),
	handshake("tls1.2-dhe2048-rsa2048-full", "tickets=none"+dhe12),
	handshake("tls1.2-psk", "tickets=none"+psk12),
	handshake("tls1.2-dhe2048-psk", "tickets=none"+dhePSK12),
	handshake("tls1.2-ecdhe-x25519-psk", "tickets=none"+ecdhePSK12),
	handshake("tls1.2-id-resume", "tickets=id"+ecdsa12),
	handshake("tls1.2-ticket-resume", "tickets=use"+ecdsa12),
	{name: "tls1.3-x25519-ecdsa-full-all-cores", kind: "handshake",
		job: "handshake lanes=all tickets=none" + ecdsa13, metrics: []metric{handshakesPerSecond}},
}

// In these rows crypto/tls stands for crypto/x509, and OpenSSL for its libcrypto.
var certificateRows = []row{
	alone("verify-ecdsa-cold", "verify cert=ecdsa", chainCPU.asks(1, stdName), chainAllocs),
	alone("verify-ecdsa-warm", "verify warm=1 cert=ecdsa", chainCPU.asks(0.5, stdName), chainAllocs),
	alone("verify-rsa2048-cold", "verify cert=rsa2048", chainCPU.asks(1, stdName), chainAllocs),
	alone("verify-rsa2048-warm", "verify warm=1 cert=rsa2048", chainCPU.asks(0.5, stdName), chainAllocs),
	alone("list-search-10k", "list do=search entries=10000", findTime),
	slow(alone("list-search-1m", "list do=search entries=most", findTime)),
	alone("list-read-10k", "list do=parse entries=10000", parseSpeed),
	slow(alone("list-read-1m", "list do=parse entries=most", parseSpeed)),
}

func slow(r row) row { r.slow = true; return r }

// alone is a row of kind certificates: a job without a connection.
func alone(name, job string, metrics ...metric) row {
	return row{name: name, kind: "certificates", procs: 1, job: job, metrics: metrics}
}

var bulkRows = []row{
	sending("loopback-send-aes128gcm-256k", "size=262144"+ecdsa13, speed.asks(1.7, stdName), cpuPerMB.asksBoth(0.5, 0.7, opensslName)),
	sending("loopback-send-aes256gcm-256k", "size=262144"+aes256gcm, speed, cpuPerMB),
	sending("loopback-send-chacha20-256k", "size=262144"+chacha20, speed, cpuPerMB),
	sending("loopback-send-tls1.2-aes128gcm-256k", "size=262144"+ecdsa12, speed, cpuPerMB),
	sending("loopback-send-tls1.0-aes128cbc-256k", "size=262144"+cbc10, speed, cpuPerMB.asksBoth(1, 1, opensslName)),
	sending("loopback-send-aes128gcm-16k", "size=16384"+ecdsa13, speed, cpuPerMB.asksBoth(0.85, 0.85, opensslName)),
	sending("loopback-send-aes128gcm-1k", "size=1024"+ecdsa13, cpuPerWrite.asksBoth(0.85, 0.95, opensslName).asksBoth(1, 1, stdName)),
	sending("loopback-send-aes128gcm-64", "size=64"+ecdsa13, cpuPerWrite.asksBoth(0.85, 0.95, opensslName).asksBoth(1, 1, stdName)),
	receiving("loopback-recv-cpu-aes128gcm-256k", ecdsa13, cpuPerMB.asksBoth(0.65, 0.7, opensslName)),
	receiving("loopback-recv-cpu-aes256gcm-256k", aes256gcm, cpuPerMB),
	receiving("loopback-recv-cpu-chacha20-256k", chacha20, cpuPerMB),
	receiving("loopback-recv-cpu-tls1.2-aes128gcm-256k", ecdsa12, cpuPerMB),
	{name: "loopback-pingpong-aes128gcm-100", kind: "bulk", procs: 1,
		job:  "pingpong role=client tickets=none size=100" + ecdsa13,
		peer: "echo role=server size=100" + ecdsa13, metrics: []metric{cpuPerTrip.asksBoth(0.95, 0.95, opensslName).asksBoth(1, 1, stdName)}},
}

var memoryRows = []row{
	held("idle-fresh-server", "server", ""),
	held("idle-fresh-client", "client", ""),
	held("idle-after-bulk-server", "server", " bulk=1"),
	held("idle-after-bulk-client", "client", " bulk=1"),
	held("idle-fresh-reading-server", "server", " reading=1"),
	held("idle-fresh-reading-client", "client", " reading=1"),
	held("idle-after-bulk-reading-server", "server", " bulk=1 reading=1"),
	held("idle-after-bulk-reading-client", "client", " bulk=1 reading=1"),
	stalled("stalled-writes-server", "write"),
	stalled("stalled-unread-server", "read"),
	stalled("stalled-http-download-server", "download"),
	stalled("stalled-http-upload-server", "upload"),
}

// In these rows nobody stands beside vitrine.
var captureRows = []row{
	reading("captures-list", "list", captureSpeed.asks(300, "")),
	reading("captures-decrypt", "decrypt", captureSpeed.asks(150, "")),
}

// reading measures how a capture is read, in one process that does nothing else.
func reading(name, do string, speed metric) row {
	return row{name: name, kind: "captures", procs: 1, slow: true, job: "capture do=" + do, metrics: []metric{speed, captureMemory}}
}

// handshake measures both ends in one process; the usual metrics, where none is named.
func handshake(name, settings string, metrics ...metric) row {
	if len(metrics) == 0 {
		metrics = handshakeMetrics
	}
	return row{name: name, kind: "handshake", procs: 1, job: "handshake " + settings, metrics: metrics}
}

// driver is the Go stack that does the peer job.
func (r row) driver() string { return cmp.Or(r.peerIs, stdName) }

func sending(name, settings string, metrics ...metric) row {
	return row{name: name, kind: "bulk", procs: 1, metrics: metrics,
		job: "send role=client tickets=none " + settings, peer: "sink role=server " + settings}
}

func receiving(name, settings string, metrics ...metric) row {
	return row{name: name, kind: "bulk", procs: 1, metrics: metrics,
		job: "recv role=client tickets=none" + settings, peer: "source role=server size=262144" + settings}
}

// held measures idle connections at the end called role; the peer is the other one.
func held(name, role, settings string) row {
	other := map[string]string{"server": "client", "client": "server"}[role]
	common := " tickets=forget" + settings + ecdsa13
	return row{name: name, kind: "memory", metrics: []metric{heapPerConn},
		job: "hold role=" + role + common, peer: "hold wait=1 role=" + other + common}
}

// stalled measures a server whose connections have come to a halt, in one of the ways of
// halts. The clients are the other end.
func stalled(name, halt string) row {
	common := " tickets=forget halt=" + halt + ecdsa13
	return row{name: name, kind: "memory", metrics: []metric{heapPerHalted},
		job: "hold role=server" + common, peer: "hold wait=1 role=client" + common}
}
