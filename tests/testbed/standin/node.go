package main

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"log"
	"time"

	"github.com/cosi-project/runtime/pkg/state"
	"github.com/siderolabs/talos/pkg/machinery/config"
)

// phase is what a node does at its lowest level; Talos' own stages are derived from it.
type phase string

const (
	off         phase = "off"
	maintenance phase = "maintenance"
	installing  phase = "installing"
	rebooting   phase = "rebooting"
	resetting   phase = "resetting"
	up          phase = "up"
)

// kubernetesView is what the node can see of its own Node object.
type kubernetesView string

const (
	absent   kubernetesView = "absent"
	notReady kubernetesView = "not-ready"
	ready    kubernetesView = "ready"
)

type node struct {
	c                   *cluster
	name, address, uuid string

	// On its disk.
	installed bool
	config    config.Provider // STATE; nil: maintenance
	etcd      *etcdCluster    // EPHEMERAL; nil: the etcd directory is empty
	etcdID    uint64

	// In its memory, since this boot.
	phase      phase
	until      time.Time
	then       func()
	bootID     string
	bootedAt   time.Time
	etcdUpAt   time.Time
	wasRunning bool // etcd and all services have been up once: the boot sequence is over
	snapshot   bool // it was given one to recover etcd from
	kubernetes kubernetesView
	events     []serviceEvent // etcd's
	resources  state.State
	server     *server
}

type serviceEvent struct {
	state, message string
	at             time.Time
}

func newNode(c *cluster, name, address string) *node {
	n := &node{c: c, name: name, address: address, uuid: formatUUID(sha256.Sum256([]byte(name + address)))}
	n.boot()
	return n
}

func formatUUID(sum [32]byte) string {
	b := sum[:16]
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func randomUUID() string {
	var b [32]byte
	_, _ = rand.Read(b[:])
	return formatUUID(b)
}

// enter starts a phase; when duration has passed, then runs. It replaces whatever was due.
func (n *node) enter(p phase, duration time.Duration, then func()) {
	log.Printf("%s: %s", n.name, p)
	n.phase, n.until, n.then = p, time.Now().Add(duration), then
}

// later runs then without leaving the phase: an answer must be sent before the API goes.
func (n *node) later(then func()) {
	n.until, n.then = time.Now().Add(200*time.Millisecond), then
}

func (n *node) boot() {
	n.bootID = randomUUID()
	n.startServices()
}

// startServices enters maintenance or starts what the configuration says, in this boot.
func (n *node) startServices() {
	n.stopServer()
	n.resources = newResources()
	n.bootedAt, n.wasRunning, n.kubernetes, n.events = time.Now(), false, absent, nil
	n.snapshot = false
	if n.config == nil {
		n.enter(maintenance, 0, nil)
		return
	}
	n.etcdUpAt = n.bootedAt.Add(n.c.cri + n.c.etcdStart)
	n.enter(up, 0, nil)
}

func (n *node) goDown(p phase, duration time.Duration, then func()) {
	n.stopServer()
	n.enter(p, duration, then)
}

func (n *node) restart() { n.goDown(rebooting, n.c.reboot, n.boot) }

// configure is what happens after a configuration was accepted in maintenance.
func (n *node) configure(cfg config.Provider) {
	n.later(func() {
		n.config = cfg
		if n.installed {
			n.startServices() // the system is on disk: the boot goes on, same boot id
			return
		}
		n.goDown(installing, n.c.install, func() {
			n.installed = true
			n.restart()
		})
	})
}

// wipe removes partitions and reboots; without a boot loader the node stays off until it gets boot media.
func (n *node) wipe(state, ephemeral, disk, reboot bool) {
	if state || disk {
		n.config = nil
	}
	if ephemeral || disk {
		n.etcd = nil
	}
	if disk {
		n.installed = false
	}
	if disk || !reboot {
		n.enter(off, 0, nil)
		return
	}
	n.enter(rebooting, n.c.reboot, n.boot)
}

func (n *node) hostname() string {
	if n.config != nil {
		if h := n.config.NetworkHostnameConfig(); h != nil && h.Hostname() != "" {
			return h.Hostname()
		}
	}
	return "talos-" + n.uuid[:5]
}

func (n *node) controlPlane() bool {
	return n.config != nil && n.config.Machine().Type().IsControlPlane()
}

func (n *node) criUp(now time.Time) bool { return n.phase == up && now.Sub(n.bootedAt) >= n.c.cri }

func (n *node) etcdRunning(now time.Time) bool {
	return n.criUp(now) && n.controlPlane() && n.etcd != nil && !now.Before(n.etcdUpAt)
}

// member is the node's own entry in the member list of its etcd.
func (n *node) member() *member {
	if n.etcd == nil {
		return nil
	}
	return n.etcd.member(n)
}

func (n *node) etcdHealthy(now time.Time) bool { return n.etcdRunning(now) && n.etcd.quorum(now) }

// sameCluster compares what discovery would: the cluster's CA.
func (n *node) sameCluster(o *node) bool {
	if n.config == nil || o.config == nil {
		return false
	}
	a, b := n.config.Cluster().IssuingCA(), o.config.Cluster().IssuingCA()
	return a != nil && b != nil && bytes.Equal(a.Crt, b.Crt)
}

// moveEtcd starts, joins and promotes, and keeps the service's history.
func (n *node) moveEtcd(now time.Time) {
	if n.phase != up || !n.controlPlane() {
		return
	}
	switch {
	case !n.criUp(now):
		n.etcdEvent("Waiting", `Waiting for service "cri" to be "up"`)
	case n.etcd == nil:
		n.etcdEvent("Preparing", "Running pre state")
		n.c.join(n, now)
	case !n.etcdRunning(now):
		n.etcdEvent("Preparing", "Running pre state")
	default:
		if n.etcdState() != "Running" {
			n.etcdEvent("Running", "Started task etcd (PID 1842) for container etcd")
		}
		if m := n.member(); m != nil && m.learner && now.Sub(n.etcdUpAt) >= n.c.etcdStart {
			m.learner = false
		}
		if n.etcd.quorum(now) {
			n.etcdEvent("Running", "Health check successful")
		} else {
			n.etcdEvent("Running", "Health check failed: context deadline exceeded")
		}
	}
}

func (n *node) etcdState() string {
	if len(n.events) == 0 {
		return ""
	}
	return n.events[len(n.events)-1].state
}

func (n *node) etcdEvent(state, message string) {
	if n.etcdState() == state && n.events[len(n.events)-1].message == message {
		return
	}
	n.events = append(n.events, serviceEvent{state, message, time.Now()})
	log.Printf("%s: etcd %s: %s", n.name, state, message)
}
