import { type Row, tellRefusals } from "./table";

const checked: Row[] = [
  [
    "an account's name in capitals",
    "storage:StorageAccount",
    ({ place }) => ({ ...place, accountName: "Account", kind: "StorageV2", sku: { name: "Standard_LRS" } }),
    `'accountName' must be 3-24 lower-case letters and digits, got "Account"`,
  ],
  [
    "an account of another sku",
    "storage:StorageAccount",
    ({ place }) => ({ ...place, accountName: "acc", kind: "StorageV2", sku: { name: "Cheap" } }),
    `'sku.name' must be one of Standard_LRS, Standard_GRS`,
  ],
  [
    "an account without a kind",
    "storage:StorageAccount",
    ({ place }) => ({ ...place, accountName: "acc", sku: { name: "Standard_LRS" } }),
    "missing required property 'kind'",
  ],
  [
    "a container's name with a capital",
    "storage:BlobContainer",
    ({ place }) => ({ ...place, accountName: "account1", containerName: "Images" }),
    `'containerName' must be 3-63 lower-case letters, digits and hyphens`,
  ],
];

const refused: Row[] = [
  [
    "an account's name that is taken",
    "storage:StorageAccount",
    () => ({ resourceGroupName: "group2", accountName: "account1", kind: "StorageV2", sku: { name: "Standard_LRS" } }),
    `Status=409 Code="StorageAccountAlreadyTaken" Message="The storage account named account1 is already taken."`,
  ],
  [
    "a public container in a closed account",
    "storage:BlobContainer",
    ({ place }) => ({ ...place, accountName: "account1", containerName: "open", publicAccess: "Blob" }),
    `Status=409 Code="PublicAccessNotPermitted" Message="Public access is not permitted on this storage account."`,
  ],
  [
    "a container in an account that is not there",
    "storage:BlobContainer",
    ({ place }) => ({ ...place, accountName: "account9", containerName: "images" }),
    `Code="ParentResourceNotFound"`,
  ],
];

tellRefusals({ checked, refused });
