import { bundleAzure } from "./azure-bundle";

bundleAzure().then(console.log, (error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
