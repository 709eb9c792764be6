package main

import (
	"fmt"
	"slices"
)

var (
	aeadSpeed = metric{name: "aead_mb_per_s", title: "AEADs alone: MB per second of CPU",
		num: "bytes", den: "cpu_ns", scale: 1e3, higher: true}
	operationCPU = metric{name: "cpu_us_per_operation", title: "Signatures and key exchanges alone: µs of CPU for one",
		num: "cpu_ns", den: "n", scale: 1e-3, digits: 1}
)

// In these rows there is no TLS: vitrine's column are the primitives that its packages
// use, crypto/tls's those of the standard library, OpenSSL's those of its EVP.
var primitiveRows = slices.Concat(
	aead("aes128gcm", 1.9, 1.3, 1),
	aead("aes256gcm", 1.9, 1.3, 1),
	aead("chacha20", 0, 0, 0),
	[]row{
		primitive("rsa2048-sign", "sign key=rsa2048", operationCPU.within(260)),
		atOnce(primitive("rsa2048-sign-8-at-once", "sign lanes=8 key=rsa2048", operationCPU.within(150))),
		primitive("rsa2048-verify", "check key=rsa2048", operationCPU),
		primitive("rsa3072-sign", "sign key=rsa3072", operationCPU),
		primitive("rsa3072-verify", "check key=rsa3072", operationCPU),
		primitive("rsa4096-sign", "sign key=rsa4096", operationCPU),
		primitive("rsa4096-verify", "check key=rsa4096", operationCPU),
		primitive("ecdsa-p256-sign", "sign key=ecdsa", operationCPU),
		primitive("ecdsa-p256-verify", "check key=ecdsa", operationCPU),
		primitive("agree-x25519", "agree group=X25519", operationCPU),
		primitive("agree-p256", "agree group=P-256", operationCPU),
		primitive("agree-ffdhe2048", "agree group=ffdhe2048", operationCPU.asks(0.5, opensslName)),
		primitive("agree-ffdhe3072", "agree group=ffdhe3072", operationCPU.asks(0.5, opensslName)),
		primitive("agree-x25519mlkem768", "agree group=X25519MLKEM768", operationCPU),
	})

// aead are the rows of one cipher. The goals are ratios to the standard library's speed
// at 16 KB, 1 KB and 64 bytes; 0 is none.
func aead(cipher string, goals ...float64) (rows []row) {
	for _, do := range []string{"seal", "open"} {
		for i, size := range []struct {
			name  string
			bytes int
		}{{"16k", 16 << 10}, {"1k", 1 << 10}, {"64", 64}} {
			m := aeadSpeed
			if goals[i] > 0 {
				m = m.asks(goals[i], stdName)
			}
			rows = append(rows, primitive(fmt.Sprintf("%s-%s-%s", do, cipher, size.name),
				fmt.Sprintf("aead do=%s cipher=%s size=%d", do, cipher, size.bytes), m))
		}
	}
	return rows
}

func primitive(name, job string, m metric) row {
	return row{name: name, kind: "primitives", procs: 1, job: job, metrics: []metric{m}}
}

// atOnce is for what several do at one time, on all processors.
func atOnce(r row) row { r.procs = 0; return r }

// within sets a goal for the figure itself.
func (m metric) within(limit float64) metric {
	m.goals = []goal{{limit: limit}}
	return m
}
