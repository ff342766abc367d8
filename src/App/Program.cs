using IlgpuNetVlad.App.Shell;

return Application.Run(args);
