package main

import (
	"log"
	"sync"
	"time"
)

// cluster is all the nodes and what they share. One lock guards everything; tick moves it on.
type cluster struct {
	install, reboot, etcdStart, cri time.Duration
	version, kubeconfig, database   string
	calls                           *journal

	mu     sync.Mutex
	nodes  []*node
	nextID uint64
}

// etcdCluster is one etcd cluster: a second Bootstrap makes a second one, as in life.
type etcdCluster struct {
	id        uint64
	members   []*member
	recovered bool // from a snapshot, which has what an earlier one had
}

type member struct {
	id       uint64
	node     *node
	hostname string
	learner  bool
	noSpace  bool
}

func (c *cluster) newID() uint64 {
	c.nextID++
	return 0x5eed0000_00000000 + c.nextID
}

// tick derives everything that follows from the passing of time.
func (c *cluster) tick(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, n := range c.nodes {
		if n.then != nil && !now.Before(n.until) {
			then := n.then
			n.then = nil
			then()
		}
	}
	for _, n := range c.nodes {
		n.moveEtcd(now)
	}
	for _, n := range c.nodes {
		n.render(now)
		n.serve()
	}
}

// join makes a node whose etcd directory is empty a learner of the cluster that it belongs to.
func (c *cluster) join(n *node, now time.Time) {
	e := c.livingEtcd(n, now)
	if e == nil {
		return
	}
	kept := e.members[:0:0]
	for _, m := range e.members {
		if m.learner && m.node != n {
			return // one at a time
		}
		if m.node != n {
			kept = append(kept, m)
		}
	}
	n.etcdID = c.newID()
	e.members = append(kept, &member{id: n.etcdID, node: n, hostname: n.hostname(), learner: true})
	n.etcd, n.etcdUpAt = e, now.Add(c.etcdStart)
	log.Printf("%s: joins etcd", n.name)
}

// livingEtcd is the cluster with quorum that n's configuration would let it find.
func (c *cluster) livingEtcd(n *node, now time.Time) *etcdCluster {
	for _, o := range c.nodes {
		if o != n && o.etcdRunning(now) && o.sameCluster(n) && o.etcd.quorum(now) {
			return o.etcd
		}
	}
	return nil
}

func (e *etcdCluster) quorum(now time.Time) bool { return e.quorumOf(e.members, now) }

func (e *etcdCluster) quorumOf(members []*member, now time.Time) bool {
	voters, running := 0, 0
	for _, m := range members {
		if m.learner {
			continue
		}
		voters++
		if m.node.etcd == e && m.node.etcdRunning(now) {
			running++
		}
	}
	return running > voters/2
}

func (e *etcdCluster) leader(now time.Time) uint64 {
	for _, m := range e.members {
		if !m.learner && m.node.etcd == e && m.node.etcdRunning(now) {
			return m.id
		}
	}
	return 0
}

func (e *etcdCluster) member(n *node) *member {
	for _, m := range e.members {
		if m.node == n {
			return m
		}
	}
	return nil
}

func (e *etcdCluster) remove(n *node) {
	kept := e.members[:0:0]
	for _, m := range e.members {
		if m.node != n {
			kept = append(kept, m)
		}
	}
	e.members = kept
}
