//go:build linux

// Terminators measures vitrine proxy beside other programs that end TLS in front of a plain service: hitch,
// HAProxy, stunnel and nginx (stream). Each has the same certificate, the same service behind it and two workers.
//
//	go run ./bench/terminators [-only REGEXP] [-programs vitrine,hitch] [-rounds N] [-quick] [-json]
//
// A program that is not installed is left out, and named. Rounds go round all programs, and a figure is a median.
// Clients share the processors with the program that is measured, so what counts is work for each second of
// processor time that the program took, with its children. The rate by the clock stands beside it.
//
//	new-*        connections: handshake, one small request, end. ECDSA P-256, RSA 2048, and resumed; TLS 1.3 with X25519
//	bulk         bytes of one large answer
//	requests     requests on 1,000 connections that stay, by h2load; the time of an answer, half of them and 99 of 100
//	idle         memory of the program for each of up to 20,000 connections that are silent: its share of what
//	             processes share; the kernel's buffers are not in it. The limit of descriptors may allow fewer
//	rest         processor time in a minute while 1,000 connections are silent
package main
