package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/cosi-project/runtime/pkg/resource"
	"github.com/cosi-project/runtime/pkg/resource/meta"
	"github.com/cosi-project/runtime/pkg/safe"
	"github.com/cosi-project/runtime/pkg/state"
	"github.com/cosi-project/runtime/pkg/state/impl/inmem"
	"github.com/cosi-project/runtime/pkg/state/impl/namespaced"
	"github.com/cosi-project/runtime/pkg/state/registry"
	"github.com/siderolabs/talos/pkg/machinery/resources/config"
	"github.com/siderolabs/talos/pkg/machinery/resources/etcd"
	"github.com/siderolabs/talos/pkg/machinery/resources/hardware"
	"github.com/siderolabs/talos/pkg/machinery/resources/k8s"
	"github.com/siderolabs/talos/pkg/machinery/resources/runtime"
	"github.com/siderolabs/talos/pkg/machinery/resources/v1alpha1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

var background = context.Background()

func newResources() state.State {
	st := state.WrapCore(namespaced.NewState(func(ns string) state.CoreState { return inmem.NewStateWithOptions()(ns) }))
	namespaces, types := registry.NewNamespaceRegistry(st), registry.NewResourceRegistry(st)
	must(namespaces.RegisterDefault(background))
	must(types.RegisterDefault(background))
	for _, name := range []string{
		v1alpha1.NamespaceName, config.NamespaceName, etcd.NamespaceName, hardware.NamespaceName, k8s.NamespaceName,
	} {
		must(namespaces.Register(background, name, name))
	}
	for _, r := range []meta.ResourceWithRD{
		&config.MachineConfig{}, &config.MachineType{}, &etcd.Member{}, &hardware.SystemInformation{},
		&k8s.Nodename{}, &k8s.NodeStatus{}, &runtime.MachineStatus{}, &v1alpha1.Service{},
	} {
		must(types.Register(background, r))
	}
	return st
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// put creates the resource or changes it; unchanged, it keeps its version.
func put[T resource.Resource](st state.State, r T, change func(T)) {
	must(safe.StateModify(background, st, r, func(r T) error { change(r); return nil }))
}

func drop(st state.State, r resource.Resource) {
	if err := st.Destroy(background, r.Metadata()); err != nil && !state.IsNotFoundError(err) {
		panic(err)
	}
}

// render writes what the node is into its resources.
func (n *node) render(now time.Time) {
	if n.phase == off {
		return
	}
	st := n.resources
	put(st, hardware.NewSystemInformation(hardware.SystemInformationID), func(r *hardware.SystemInformation) {
		s := r.TypedSpec()
		s.Manufacturer, s.ProductName, s.SerialNumber, s.UUID = "rekindle", "standin", n.name, n.uuid
	})
	if n.phase == up {
		n.renderConfigured(now)
	}
	stage, unmet := n.stage(now)
	put(st, runtime.NewMachineStatus(), func(r *runtime.MachineStatus) {
		s := r.TypedSpec()
		s.Stage, s.Status.Ready, s.Status.UnmetConditions = stage, len(unmet) == 0, unmet
	})
}

func (n *node) renderConfigured(now time.Time) {
	st := n.resources
	machineConfig := config.NewMachineConfig(n.config)
	if old, err := safe.StateGet[*config.MachineConfig](background, st, machineConfig.Metadata()); err != nil || old.Provider() != n.config {
		drop(st, machineConfig)
		must(st.Create(background, machineConfig))
	}
	put(st, config.NewMachineType(), func(r *config.MachineType) { r.SetMachineType(n.config.Machine().Type()) })
	put(st, k8s.NewNodename(k8s.NamespaceName, k8s.NodenameID), func(r *k8s.Nodename) { r.TypedSpec().Nodename = n.hostname() })
	for _, service := range n.services(now) {
		r := v1alpha1.NewService(service.name)
		if service.state() != "Running" { // as in life, only a running service has a resource
			drop(st, r)
			continue
		}
		put(st, r, func(r *v1alpha1.Service) {
			r.TypedSpec().Running, r.TypedSpec().Healthy, r.TypedSpec().Unknown = true, service.healthy, false
		})
	}
	member := etcd.NewMember(etcd.NamespaceName, etcd.LocalMemberID)
	if n.etcdRunning(now) {
		put(st, member, func(r *etcd.Member) { r.TypedSpec().MemberID = etcd.FormatMemberID(n.etcdID) })
	} else {
		drop(st, member)
	}
	nodeStatus := k8s.NewNodeStatus(k8s.NamespaceName, n.hostname())
	if n.kubernetes == absent {
		drop(st, nodeStatus)
		return
	}
	put(st, nodeStatus, func(r *k8s.NodeStatus) {
		r.TypedSpec().Nodename, r.TypedSpec().NodeReady = n.hostname(), n.kubernetes == ready
	})
}

type service struct {
	name    string
	healthy bool
	events  []serviceEvent
}

func (s service) state() string {
	if len(s.events) == 0 {
		return "Initialized"
	}
	return s.events[len(s.events)-1].state
}

func (n *node) services(now time.Time) []service {
	started := []serviceEvent{{"Running", "Health check successful", n.bootedAt}}
	names := []string{"apid", "auditd", "containerd", "cri", "kubelet", "machined", "syslogd", "udevd"}
	if n.controlPlane() {
		names = []string{"apid", "auditd", "containerd", "cri", "etcd", "kubelet", "machined", "syslogd", "trustd", "udevd"}
	}
	var all []service
	for _, name := range names {
		switch {
		case name == "etcd":
			all = append(all, service{name, n.etcdHealthy(now), n.events})
		case (name == "cri" || name == "kubelet") && !n.criUp(now):
			all = append(all, service{name, false, []serviceEvent{{"Preparing", "Creating service runner", n.bootedAt}}})
		default:
			all = append(all, service{name, true, started})
		}
	}
	return all
}

// stage is Talos' stage with the conditions that are not met, by the rules of its MachineStatusController.
func (n *node) stage(now time.Time) (runtime.MachineStage, []runtime.UnmetCondition) {
	switch n.phase {
	case maintenance:
		return runtime.MachineStageMaintenance, nil
	case installing:
		return runtime.MachineStageInstalling, nil
	case resetting:
		return runtime.MachineStageResetting, nil
	case rebooting, off:
		return runtime.MachineStageRebooting, nil
	case up:
	}
	var problems []string
	for _, s := range n.services(now) {
		if s.state() != "Running" {
			problems = append(problems, s.name+" not running")
		} else if !s.healthy {
			problems = append(problems, s.name+" not healthy")
		}
	}
	var unmet []runtime.UnmetCondition
	if len(problems) > 0 {
		unmet = append(unmet, runtime.UnmetCondition{Name: "services", Reason: strings.Join(problems, ", ")})
	}
	switch n.kubernetes {
	case absent:
		unmet = append(unmet, runtime.UnmetCondition{Name: "nodeReady", Reason: fmt.Sprintf("node %q status is not available yet", n.hostname())})
	case notReady:
		unmet = append(unmet, runtime.UnmetCondition{Name: "nodeReady", Reason: fmt.Sprintf("node %q is not ready", n.hostname())})
	case ready:
	}
	n.wasRunning = n.wasRunning || len(problems) == 0
	if n.wasRunning {
		return runtime.MachineStageRunning, unmet
	}
	return runtime.MachineStageBooting, unmet
}

// readOnly is Talos' access policy for resources.
func readOnly(st state.State) state.CoreState {
	return state.Filter(st, func(ctx context.Context, access state.Access) error {
		if !access.Verb.Readonly() {
			return status.Error(codes.PermissionDenied, "write access is not allowed")
		}
		rd, err := safe.StateGet[*meta.ResourceDefinition](ctx, st, resource.NewMetadata(
			meta.NamespaceName, meta.ResourceDefinitionType, strings.ToLower(access.ResourceType), resource.VersionUndefined))
		if state.IsNotFoundError(err) {
			return status.Errorf(codes.PermissionDenied, "resource type %q is not supported", access.ResourceType)
		}
		if err == nil && rd.TypedSpec().Sensitivity == meta.Sensitive && !isAdmin(ctx) {
			return status.Error(codes.PermissionDenied, "not authorized")
		}
		return err
	})
}
