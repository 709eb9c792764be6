//go:build linux

// Scanners measures vitrine scan beside sslscan and testssl.sh, on the same nginx.
//
//	go run ./bench/scanners [-only REGEXP] [-programs vitrine,sslscan] [-rounds N] [-targets N] [-json]
//
// A program that is not installed is left out, and named. Rounds go round all programs, and a figure is a median:
// the time by the clock from the start of the program to its end, and the processor time that it took with its children.
//
//	quick            what sslscan covers: versions, suites, groups, certificates, Heartbleed; vitrine scan --quick
//	everything       what testssl.sh covers: weaknesses, sessions, clients, HTTP; vitrine scan
//	...-50ms         the same, with 50 ms of round trip
//	many-...         1,000 hosts in one run, with keys for ECDSA; the others have one for RSA
//
// It runs in a network of its own, for which Linux must allow namespaces. There every address of 198.18.0.0/15 is this
// machine: hosts that are not on the loopback interface, so vitrine keeps its limits (8 connections at once and 50 in a
// second for each host) in the rows at a distance and of many hosts. A relay makes the distance: it holds what comes for
// 25 ms in each direction, and what comes right after the connection for the time that its setup would have taken.
package main
