/** What the rehearsal knows of a VM size. Source: https://learn.microsoft.com/azure/virtual-machines/sizes/overview */
export interface VmSize {
  /** Hypervisor generations that it boots. */
  generations: readonly (1 | 2)[];
  /** GiB of the host's cache that an ephemeral OS disk may use (`CacheDisk`); 0: none. */
  cacheGib: number;
  /** GiB of the temporary disk (`ResourceDisk`); 0: none. */
  temporaryGib: number;
  /** GiB of local NVMe (`NvmeDisk`). */
  nvmeGib?: number;
  arm64?: boolean;
  /** Its disks are reached by NVMe, of which the image has to know. */
  nvme?: boolean;
}

const BOTH = [1, 2] as const;

export const vmSizes: Readonly<Record<string, VmSize>> = {
  Standard_A1_v2: { generations: [1], cacheGib: 0, temporaryGib: 10 },
  Standard_A2_v2: { generations: [1], cacheGib: 0, temporaryGib: 20 },
  Standard_B1ls: { generations: BOTH, cacheGib: 0, temporaryGib: 4 },
  Standard_B1ms: { generations: BOTH, cacheGib: 0, temporaryGib: 4 },
  Standard_B1s: { generations: BOTH, cacheGib: 0, temporaryGib: 4 },
  Standard_B2ats_v2: { generations: BOTH, cacheGib: 0, temporaryGib: 0 },
  Standard_B2als_v2: { generations: BOTH, cacheGib: 0, temporaryGib: 0 },
  Standard_B2as_v2: { generations: BOTH, cacheGib: 0, temporaryGib: 0 },
  Standard_B2ms: { generations: BOTH, cacheGib: 0, temporaryGib: 16 },
  Standard_B2s: { generations: BOTH, cacheGib: 0, temporaryGib: 8 },
  Standard_B2ts_v2: { generations: BOTH, cacheGib: 0, temporaryGib: 0 },
  Standard_B2ls_v2: { generations: BOTH, cacheGib: 0, temporaryGib: 0 },
  Standard_B2s_v2: { generations: BOTH, cacheGib: 0, temporaryGib: 0 },
  Standard_B2pts_v2: { generations: [2], cacheGib: 0, temporaryGib: 0, arm64: true },
  Standard_D2_v3: { generations: [1], cacheGib: 0, temporaryGib: 50 },
  Standard_D2s_v3: { generations: BOTH, cacheGib: 50, temporaryGib: 16 },
  Standard_D4s_v3: { generations: BOTH, cacheGib: 100, temporaryGib: 32 },
  Standard_D2ds_v4: { generations: BOTH, cacheGib: 50, temporaryGib: 75 },
  Standard_D2s_v5: { generations: BOTH, cacheGib: 0, temporaryGib: 0 },
  Standard_D2ds_v5: { generations: BOTH, cacheGib: 75, temporaryGib: 75 },
  Standard_D2as_v5: { generations: BOTH, cacheGib: 0, temporaryGib: 0 },
  Standard_D2ads_v5: { generations: BOTH, cacheGib: 75, temporaryGib: 75 },
  Standard_D2ads_v6: { generations: [2], cacheGib: 0, temporaryGib: 0, nvmeGib: 110, nvme: true },
  Standard_D2s_v6: { generations: [2], cacheGib: 0, temporaryGib: 0, nvme: true },
  Standard_D2pls_v6: { generations: [2], cacheGib: 0, temporaryGib: 0, arm64: true, nvme: true },
  Standard_D2ps_v5: { generations: [2], cacheGib: 0, temporaryGib: 0, arm64: true },
  Standard_DC2s_v3: { generations: [2], cacheGib: 0, temporaryGib: 0 },
  Standard_E2ds_v5: { generations: BOTH, cacheGib: 75, temporaryGib: 75 },
  Standard_F2s_v2: { generations: BOTH, cacheGib: 32, temporaryGib: 16 },
};
