package main

import (
	"encoding/json"
	"net/http"
	"time"
)

// view is a node as the harness sees it: enough to play its kubelet.
type view struct {
	Name         string `json:"name"`
	Address      string `json:"address"`
	UUID         string `json:"uuid"`
	BootID       string `json:"boot_id"`
	Phase        phase  `json:"phase"`
	Hostname     string `json:"hostname"`
	ControlPlane bool   `json:"control_plane"`
	Kubelet      bool   `json:"kubelet"`
	EtcdHealthy  bool   `json:"etcd_healthy"`
	EtcdCluster  uint64 `json:"etcd_cluster"` // 0: its directory is empty
	EtcdLearner  bool   `json:"etcd_learner"`
	Recovered    bool   `json:"etcd_recovered"` // from a snapshot
}

// controlHandler is the harness' own door: GET /nodes, and POST /nodes/NAME/VERB.
func (c *cluster) controlHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /nodes", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(c.views())
	})
	mux.HandleFunc("POST /nodes/{name}/{verb}", func(w http.ResponseWriter, r *http.Request) {
		if !c.control(r.PathValue("name"), r.PathValue("verb")) {
			http.Error(w, "no such node or verb", http.StatusNotFound)
		}
	})
	return mux
}

func (c *cluster) views() []view {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	views := []view{}
	for _, n := range c.nodes {
		v := view{Name: n.name, Address: n.address, UUID: n.uuid, BootID: n.bootID, Phase: n.phase, Hostname: n.hostname(),
			ControlPlane: n.controlPlane(), Kubelet: n.criUp(now), EtcdHealthy: n.etcdHealthy(now)}
		if n.etcd != nil {
			v.EtcdCluster, v.Recovered = n.etcd.id, n.etcd.recovered
			if m := n.member(); m != nil {
				v.EtcdLearner = m.learner
			}
		}
		views = append(views, v)
	}
	return views
}

func (c *cluster) control(name, verb string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, n := range c.nodes {
		if n.name != name {
			continue
		}
		switch verb {
		case string(absent), string(notReady), string(ready):
			n.kubernetes = kubernetesView(verb)
		case "power-off":
			n.goDown(off, 0, nil)
		case "power-on":
			if n.phase == off {
				n.goDown(rebooting, c.reboot, n.boot)
			}
		case "reboot":
			n.restart()
		case "alarm":
			if m := n.member(); m != nil {
				m.noSpace = true
			}
		default:
			return false
		}
		return true
	}
	return false
}
