// Command standin answers the Talos API for a few nodes that do not exist, so that an unmodified
// talosctl can be used in tests. Each node is a loopback address on port 50000. What it answers, and
// with which gRPC codes, was read in the source of Talos 1.12.
package main

import (
	"flag"
	"log"
	"net"
	"net/http"
	"strings"
	"time"
)

func main() {
	install := flag.Duration("install", time.Second, "time that an installation takes")
	reboot := flag.Duration("reboot", time.Second, "time that a node is unreachable while it reboots")
	etcd := flag.Duration("etcd", time.Second, "time that etcd takes to start, and again to be promoted")
	cri := flag.Duration("cri", time.Second, "time from boot until the container runtime is up")
	version := flag.String("version", "v1.12.0", "Talos version to report")
	kubeconfig := flag.String("kubeconfig", "", "file to answer as kubeconfig")
	database := flag.String("database", "", "the real etcd's database, to be answered as a snapshot")
	calls := flag.String("calls", "", "file that each changing call is appended to, one JSON document a line")
	control := flag.String("control", "127.0.0.1:0", "address of the control endpoint")
	kubernetes := flag.String("kubernetes", "", "address of the real API server, to be reached through the nodes' port 6443")
	virtual := flag.String("virtual", "", "virtual address of the API, held by one of the nodes that serve it")
	flag.Parse()

	c := &cluster{
		install: *install, reboot: *reboot, etcdStart: *etcd, cri: *cri,
		version: *version, kubeconfig: *kubeconfig, database: *database, calls: &journal{path: *calls},
	}
	for _, argument := range flag.Args() {
		name, address, found := strings.Cut(argument, "=")
		if !found {
			log.Fatalf("%q is not NAME=ADDRESS", argument)
		}
		c.nodes = append(c.nodes, newNode(c, name, address))
	}
	listener, err := net.Listen("tcp", *control)
	if err != nil {
		log.Fatal(err)
	}
	server := &http.Server{Handler: c.controlHandler(), ReadHeaderTimeout: 5 * time.Second}
	go func() { log.Fatal(server.Serve(listener)) }()
	if *kubernetes != "" {
		go c.openDoors(*kubernetes, *virtual)
	}
	for {
		c.tick(time.Now())
		time.Sleep(50 * time.Millisecond)
	}
}
