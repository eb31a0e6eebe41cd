"""
Every action that a recovery may take: its effect class, its probe, its guard at the target, and what it destroys.

Arguments that an intent carries, by verb (strings unless said otherwise); doers need nothing else:

``talos.apply``        node, address, config (path of the machine configuration), sha256 (of that file), insecure (bool)
``etcd.bootstrap``     node, address, machine_uuid, boot_id (as seen when it was decided)
``kubeconfig.fetch``   node, address, path (where our own kubeconfig file goes)
``command.run``        command (its name in the plan); argv and directory come from the plan
``crd.preapply``       crd (name), path (manifest; applied server-side, field manager ``rekindle``)
``root.apply``         path (file or folder of manifests; applied server-side, field manager ``rekindle``)
``flux.nudge``         kind, namespace, name, uid, generation (int), token, reset (bool), cause
``finalizer.release``  group, version, resource, kind, namespace, name, uid, finalizers (list of str to take off)

Settlement codes are those of ``engine.world``; a command's is ``exit-N`` or ``timeout``.
"""
