import { packetFilter, page, ssh } from "./access";
import { damagedFile } from "./damaged-file";
import { brokenMetadata, brokenVault, busyVault, hangingMetadata, hangingVault, noNames } from "./faults";
import { interrupted } from "./interrupted";
import { changedKernel, panickingKernel } from "./kernels";
import { fullDisk, isolated, powerCuts, reboot } from "./machine-life";
import { nowhere } from "./nowhere";
import { damagedTorState, fullMemory, garbageUserData } from "./odd-inputs";
import { lateRight, revokedRight } from "./rights";
import { rotated, takenBack } from "./rotations";
import type { Story } from "./story";
import { switched } from "./switches";
import { cutUpdates, oldImage, updatedTwice } from "./update-cuts";
import { damagedContainers, foreignWish, unreachableContainer } from "./update-refusals";
import { changedPage, changedTor, pageBefore, serverless, torless } from "./updates";
import { damagedOnionKey, foreignOnionKey } from "./wrong-keys";

/** In the order in which they are told: the first switches the machine on, and each leaves one that serves. */
export const stories: readonly Story[] = [
  lateRight,
  page,
  packetFilter,
  ssh,
  changedPage,
  pageBefore,
  rotated,
  takenBack,
  foreignOnionKey,
  damagedOnionKey,
  changedTor,
  torless,
  serverless,
  unreachableContainer,
  ...damagedContainers,
  foreignWish,
  updatedTwice,
  changedKernel,
  panickingKernel,
  reboot,
  isolated,
  revokedRight,
  switched,
  damagedFile,
  interrupted,
  damagedTorState,
  garbageUserData,
  fullMemory,
  nowhere,
  busyVault,
  brokenVault,
  brokenMetadata,
  noNames,
  fullDisk,
  hangingMetadata,
  hangingVault,
  powerCuts,
  oldImage,
  cutUpdates,
];
